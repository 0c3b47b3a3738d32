/** Most repeats of one part, and characters of a sample. */
const MAX_REPEATS = 200;
const MAX_LENGTH = 2_000;

/** Tried for classes that no shorter list has a member of. */
const CHARACTERS = "aA0xX1 _-.,:;/@#$%&*+=!?'\"()[]{}<>|\\^~`bBzZ9é\t\n";

const CONTROLS: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["f", "\f"],
  ["v", "\v"],
]);

/**
 * Texts that an RE2 pattern may match whole: the shortest one of its first alternatives, then with more repeats. A guess
 * that must be checked: what is not plain (classes by name, say) gives none.
 */
export function patternSamples(pattern: string): string[] {
  const samples = new Set<string>();
  for (const more of [0, 1, 2, 4, 8, 16, 32]) {
    for (const choice of [0, 1, 2, 3]) {
      const text = new Sampler(pattern, more, choice).sample();
      if (text !== undefined) samples.add(text);
    }
  }
  return [...samples];
}

/** Writes a text while reading a pattern once from the left. */
class Sampler {
  readonly #runes: readonly string[];
  readonly #more: number;
  readonly #choice: number;
  #at = 0;

  constructor(pattern: string, more: number, choice: number) {
    this.#runes = Array.from(pattern);
    this.#more = more;
    this.#choice = choice;
  }

  sample(): string | undefined {
    const text = this.#options();
    return this.#at < this.#runes.length ? undefined : text;
  }

  #take(text: string): boolean {
    for (const [offset, rune] of Array.from(text).entries()) {
      if (this.#runes[this.#at + offset] !== rune) return false;
    }
    this.#at += Array.from(text).length;
    return true;
  }

  #next(): string {
    const rune = this.#runes[this.#at] ?? "";
    this.#at += 1;
    return rune;
  }

  #options(): string | undefined {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return options[Math.min(this.#choice, options.length - 1)];
  }

  #sequence(): string | undefined {
    let text: string | undefined = "";
    while (this.#at < this.#runes.length) {
      const rune = this.#runes[this.#at];
      if (rune === "|" || rune === ")") break;
      const part: string | undefined = this.#repeated();
      text = text === undefined || part === undefined ? undefined : text + part;
      if (text !== undefined && text.length > MAX_LENGTH) text = undefined;
    }
    return text;
  }

  #repeated(): string | undefined {
    const body = this.#atom();
    let times = 1;
    if (this.#take("*")) times = this.#more;
    else if (this.#take("+")) times = 1 + this.#more;
    else if (this.#take("?")) times = Math.min(1, this.#more);
    else {
      const bounds = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#runes.slice(this.#at, this.#at + 12).join(""));
      if (bounds !== null) {
        this.#at += bounds[0].length;
        const least = Number(bounds[1]);
        const most = bounds[2] === undefined ? least : bounds[3] === "" ? MAX_REPEATS : Number(bounds[3]);
        times = Math.min(least + this.#more, most);
      }
    }
    this.#take("?"); // lazy: the same texts
    return body === undefined || times > MAX_REPEATS ? undefined : body.repeat(times);
  }

  #atom(): string | undefined {
    const rune = this.#next();
    switch (rune) {
      case "^":
      case "$":
        return "";
      case ".":
        return "a";
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
    }
    return rune;
  }

  #group(): string | undefined {
    if (this.#take("?")) {
      const head = /^(?:P?<\w+>|[imsU]*(?:-[imsU]+)?:|[imsU]+(?:-[imsU]+)?\))/.exec(
        this.#runes.slice(this.#at, this.#at + 80).join(""),
      );
      if (head === null) return this.#fail();
      this.#at += head[0].length;
      if (head[0].endsWith(")")) return "";
    }
    const text = this.#options();
    return this.#take(")") ? text : this.#fail();
  }

  /** A class as the platform's own engine reads it, where both mean the same. */
  #class(): string | undefined {
    const from = this.#at - 1;
    this.#take("^");
    this.#take("]");
    while (this.#at < this.#runes.length && !this.#take("]")) {
      if (this.#take("[:")) return this.#fail();
      if (this.#next() === "\\") this.#next();
    }
    const source = this.#runes.slice(from, this.#at).join("");
    return this.#firstOf(source.replace(/\[(\^?)\]/, "[$1\\]").replace(/(?<!^)\[/g, "\\["));
  }

  #escape(): string | undefined {
    const rune = this.#next();
    if (/^[AzbB]$/.test(rune)) return "";
    if (/^[dDwWsS]$/.test(rune)) return this.#firstOf(`\\${rune}`);
    if (/^[nrtfv]$/.test(rune)) return CONTROLS.get(rune);
    return /^[A-Za-z0-9]$/.test(rune) ? this.#fail() : rune;
  }

  #firstOf(source: string): string | undefined {
    try {
      const one = new RegExp(`^${source}$`, "u");
      const ranges = Array.from(source).filter((rune) => one.test(rune));
      return [...CHARACTERS].find((rune) => one.test(rune)) ?? ranges[0];
    } catch {
      return undefined; // a class that only RE2 knows: there is no sample of it
    }
  }

  #fail(): undefined {
    this.#at = this.#runes.length + 1;
    return undefined;
  }
}
