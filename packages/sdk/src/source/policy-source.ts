import type { D2Error } from "d2-core/call";

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
  /** When what brought the policy ends, in milliseconds since 1970; it ends with that, whatever its metadata say. */
  readonly expiresAt?: number | undefined;
  /** Of a signed bundle. */
  readonly bundle?: BundleFacts | undefined;
  /** To be called once the policy is in force. */
  readonly adopted?: (() => void) | undefined;
}

/** What is known of the signed bundle that a policy came in. */
export interface BundleFacts {
  /** Number of the published version; 0 where the control plane has none. */
  readonly version: number;
  /** `d2-policy:<account>:<app>`. */
  readonly audience: string;
  /** As the control plane calls this state of the bundle. */
  readonly etag: string | undefined;
}

/** There is no policy, and that is no fault of one: every call is denied. */
export interface NoPolicy {
  /** `revoked`: it was taken back; `pending`: none has come yet. */
  readonly absent: "revoked" | "pending";
}

/** What a source has. */
export type PolicyAnswer = PolicyText | NoPolicy;

/** What has come of asking a control plane once, or of fetching its keys. */
export type SourceNews =
  | {
      readonly kind: "answered";
      readonly outcome: "bundle" | "unchanged" | "revoked";
      /** Seconds between polls from now on. */
      readonly pollSeconds: number;
    }
  | {
      readonly kind: "failed";
      readonly error: D2Error;
      /** How many there have been in a row, this one included. */
      readonly failures: number;
      /** Seconds that it wants to be left alone. */
      readonly retryAfter: number | undefined;
    }
  | {
      readonly kind: "keys";
      readonly ok: boolean;
      readonly milliseconds: number;
      /** Id of the rotation that it was fetched for; undefined: for none. */
      readonly rotation: string | undefined;
      /** Ids of the keys that were listed, and that are. */
      readonly before: readonly string[];
      readonly after: readonly string[];
    };

/** Where policies come from: a file, an object, a control plane. */
export interface PolicySource {
  /** A few words for notices and logs: a path, or what else it is. */
  readonly name: string;
  /**
   * The policy as it is now.
   *
   * @throws ConfigurationError, PolicyTooLargeError and other errors of the library when it cannot be had
   */
  load(): Promise<PolicyAnswer>;
  /** The same, blocking. */
  loadSync(): PolicyAnswer;
  /**
   * Has `listener` told whenever the policy may have changed. It is given what the source has now, or nothing: `load`
   * then says. Does not keep the process alive. Answers with what ends the subscription.
   */
  subscribe(listener: (answer?: PolicyAnswer) => void): () => void;
  /** Has `listener` told of news, if there is a control plane to ask. It must not throw. */
  observe?(listener: (news: SourceNews) => void): void;
  /** Ends every subscription and frees what the source holds. Calling it again does nothing. */
  close(): Promise<void>;
}
