import type { ChainPosition } from "d2-core";

/** Where the lines of a decision log go. */
export interface DecisionSink {
  /** Names the stream: part of correlation ids and of heads. Letters, digits, `.`, `_`, `~` and `-`. */
  readonly stream: string;
  /** Where the chain goes on. */
  readonly position: ChainPosition;
  /**
   * Appends whole lines (each ends with a line feed), all or nothing. Throws when they could not be written: then none of
   * them is there, and the same lines may come again.
   *
   * @param head the chain after them
   */
  append(lines: string, head: ChainPosition): void | Promise<void>;
  /** Makes sure that what was appended survives a loss of power. */
  sync(): void | Promise<void>;
  /** Keeps the text of a policy by its digest, so that the log can be replayed. Called before the first line that names it. */
  keepPolicy?(digest: string, text: string, format: "yaml" | "json"): void;
  close(): void | Promise<void>;
}
