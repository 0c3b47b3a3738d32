export interface WireOutcome {
  readonly id: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly reasons: readonly string[];
}

export interface WireCase {
  readonly id: string;
  readonly section: string;
  readonly name: string;
  readonly needs?: readonly ("runtime" | "developer" | "admin")[];
  /** As conformance/wire/README.md has them. */
  readonly steps: readonly { readonly request: object; readonly expect: object; readonly save?: object }[];
}

export interface WireOptions {
  readonly url: string;
  readonly tokens: {
    readonly runtime?: string;
    readonly developer?: string;
    readonly admin?: string;
  };
  readonly sections?: readonly string[];
  readonly only?: readonly string[];
  /** In place of the list. */
  readonly cases?: readonly WireCase[];
}

/** The cases of conformance/wire against the server at `url`, in order. */
export function runWireCases(
  options: WireOptions,
  tell?: (outcome: WireOutcome) => void,
): Promise<WireOutcome[]>;
