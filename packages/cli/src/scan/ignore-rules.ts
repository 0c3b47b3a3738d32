/** What one `.gitignore` says, about paths relative to its folder. */
export class IgnoreRules {
  readonly #rules: readonly {
    readonly pattern: RegExp;
    readonly folders: boolean;
    readonly keeps: boolean;
  }[];

  constructor(text: string) {
    this.#rules = text.split(/\r?\n/).flatMap((line) => {
      const written = line.replace(/(?<!\\)\s+$/, "");
      if (written === "" || written.startsWith("#")) return [];
      const keeps = written.startsWith("!");
      const body = keeps ? written.slice(1) : written;
      const folders = body.endsWith("/");
      const path = folders ? body.slice(0, -1) : body;
      const pattern = patternOf(path);
      return pattern === undefined ? [] : [{ pattern, folders, keeps }];
    });
  }

  /**
   * The last rule that speaks of a path decides.
   *
   * @returns whether the path is ignored; `undefined`: no rule speaks of it
   */
  ignores(path: string, isFolder: boolean): boolean | undefined {
    const rule = this.#rules.findLast(({ pattern, folders }) => (isFolder || !folders) && pattern.test(path));
    return rule === undefined ? undefined : !rule.keeps;
  }
}

/** A pattern with a slash inside begins at the folder; one without may match at any depth. */
function patternOf(path: string): RegExp | undefined {
  const anchored = path.includes("/");
  const body = path
    .replace(/^\//, "")
    .split("/")
    .map((part) => (part === "**" ? part : partPattern(part)))
    .join("/");
  if (body === "") return undefined;
  const joined = body
    .replace(/^\*\*\//, "(?:.*/)?")
    .replace(/\/\*\*\//g, "/(?:.*/)?")
    .replace(/\/\*\*$/, "/.+")
    .replace(/^\*\*$/, ".+");
  try {
    return new RegExp(`^${anchored ? "" : "(?:.*/)?"}${joined}$`, "s");
  } catch {
    // An impossible character range matches nothing in git either.
    return undefined;
  }
}

function partPattern(part: string): string {
  return part.replace(
    /\\(.)|\[(!?)((?:\\.|[^\]\\])+)\]|\*+|\?|[.+^${}()|[\]\\]/gs,
    (found, escaped, not, range) => {
      if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
      if (range !== undefined) return `[${not === "!" ? "^" : ""}${range}]`;
      if (found.startsWith("*")) return "[^/]*";
      return found === "?" ? "[^/]" : `\\${found}`;
    },
  );
}
