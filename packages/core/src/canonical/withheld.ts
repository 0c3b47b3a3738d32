import type { HexDigest } from "./canonical-json.js";

/** Stands for a value of which only the digest was recorded: that of the canonical JSON of the value's tagged encoding. */
export class WithheldValue {
  readonly #digest: HexDigest;
  constructor(digest: HexDigest) {
    this.#digest = digest;
  }
  /** The digest that a value stands for; `undefined` for everything but a `WithheldValue`. Asks the object nothing. */
  static digestOf(value: object): HexDigest | undefined {
    return #digest in value ? value.#digest : undefined;
  }
}
