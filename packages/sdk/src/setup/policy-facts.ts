import type { BundleFacts } from "../source/policy-source.js";

/** What is known of a policy in force. */
export interface PolicyFacts {
  /** `metadata.name`, or `unnamed`; `d2.none`: there is no policy. */
  readonly name: string;
  /** `sha256:` and the beginning of the digest. */
  readonly version: string;
  /** Of the normalised document: 64 lower-case hex digits. */
  readonly digest: string;
  /** Milliseconds since 1970-01-01T00:00:00Z, by the instance's clock. */
  readonly loadedAt: number;
  /** The same; undefined: it does not expire. The earlier one where document and bundle both have an end. */
  readonly expiresAt: number | undefined;
  /** The file, relative to the folder in which the process started where it is inside of it; or what else it is. */
  readonly source: string;
  /** What is known of the signed bundle that it came in; undefined: it came in none. */
  readonly bundle?: BundleFacts | undefined;
}

/** What happens to the policy of an instance. */
export type PolicyEvent =
  | { readonly kind: "loaded"; readonly policy: PolicyFacts }
  /** The source has nothing usable; the policy of before stays in force. Told once for one fault. */
  | { readonly kind: "refused"; readonly error: unknown }
  /** The source is usable again after that; if it has another policy than before, `loaded` came first. */
  | { readonly kind: "mended" }
  /** The policy was taken back: there is none any more, and every call is denied. */
  | { readonly kind: "revoked" };
