/** A policy as its source has it: not parsed, not checked. */
export interface PolicyText {
  /** The text, or the object that a caller gave in its place. */
  readonly content: string | object;
  /** How to read a text; undefined: as YAML, of which JSON is a part. */
  readonly format: "yaml" | "json" | undefined;
  /** Name for diagnostics; undefined when there is no file. */
  readonly file: string | undefined;
  /** Equal for equal contents. */
  readonly revision: string;
}

/** Where policies come from: a file, an object, a control plane. */
export interface PolicySource {
  /** A few words for notices and logs: a path, or what else it is. */
  readonly name: string;
  /**
   * The policy as it is now.
   *
   * @throws ConfigurationError, PolicyTooLargeError when it cannot be had
   */
  load(): Promise<PolicyText>;
  /** The same, blocking. */
  loadSync(): PolicyText;
  /**
   * Has `listener` told whenever the policy may have changed; `load` then says whether it has. Does not keep the
   * process alive. Answers with what ends the subscription.
   */
  subscribe(listener: () => void): () => void;
  /** Ends every subscription and frees what the source holds. Calling it again does nothing. */
  close(): Promise<void>;
}
