/** Most tool ids that are remembered of a session. */
const RECENT = 20;

/** Most pairs of tools that are remembered of a session. */
const PAIRS = 64;

/** What telemetry remembers of one user's session, which a history that grows for hours would be too long for. */
export class SessionTrace {
  /** Tool ids of the allowed calls that were seen last, oldest first. */
  readonly #recent: string[] = [];
  #pairs: Set<string> | undefined;
  #source = "";
  #tool = "";
  #pair = "";
  /** Whether the length of the session was told already. */
  deep = false;

  /** The tool that was called last. */
  get last(): string | undefined {
    return this.#recent.at(-1);
  }

  get recent(): readonly string[] {
    return [...this.#recent];
  }

  /** A call was allowed. */
  add(tool: string): void {
    this.#recent.push(tool);
    if (this.#recent.length > RECENT) this.#recent.shift();
  }

  /** Two tools as one text; the same text again while they are the same two. */
  pairOf(source: string, tool: string): string {
    if (source !== this.#source || tool !== this.#tool) {
      this.#source = source;
      this.#tool = tool;
      this.#pair = `${source}\n${tool}`;
    }
    return this.#pair;
  }

  /** Whether this pair of tools is a new one. */
  meets(pair: string): boolean {
    this.#pairs ??= new Set();
    if (this.#pairs.has(pair) || this.#pairs.size >= PAIRS) return false;
    this.#pairs.add(pair);
    return true;
  }
}
