import type { ChainPosition, HexDigest } from "d2-core";
import type { DecisionSink } from "./sink.js";

/** Keeps the lines of a decision log in memory: for tests, and for programs that live shortly. */
export class MemorySink implements DecisionSink {
  readonly stream: string;
  /** Texts of policies, by digest. */
  readonly policies = new Map<string, string>();
  readonly #maxLines: number;
  readonly #lines: string[] = [];
  // Sixty-four zeros have the shape of a digest, and stand for what comes before the first line.
  #position: ChainPosition = { index: 0, v: "0".repeat(64) as HexDigest, calls: 0 };

  /**
   * @param options `stream`: name of the stream, default `memory`; `maxLines`: most lines that are kept, default 100,000;
   * lines beyond are refused, and what happens to their calls is for `whenFull` to say
   */
  constructor(options: { readonly stream?: string; readonly maxLines?: number } = {}) {
    this.stream = options.stream ?? "memory";
    this.#maxLines = options.maxLines ?? 100_000;
  }

  /** The lines so far, without line feeds. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The whole log. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  get position(): ChainPosition {
    return this.#position;
  }

  append(lines: string, head: ChainPosition): void {
    const more = lines.split("\n").slice(0, -1);
    if (this.#lines.length + more.length > this.#maxLines) {
      throw new Error(`it holds ${this.#maxLines} lines and takes no more: raise \`maxLines\`, or use files`);
    }
    for (const line of more) this.#lines.push(line);
    this.#position = head;
  }

  sync(): void {
    // Memory is as safe now as it will ever be.
  }

  keepPolicy(digest: string, text: string): void {
    this.policies.set(digest, text);
  }

  close(): void {
    // The lines stay to be read.
  }
}
