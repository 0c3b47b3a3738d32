import { BundleExpiredError, InvalidSignatureError, PolicyError } from "d2-core/call";
import type { PublicJwk } from "./check-signature.js";
import { isRecord, type JwsHeader, parseJws } from "./jws.js";
import type { ListedKey } from "./key-list.js";
import { check, type Steps } from "./steps.js";

/** A bundle whose signature and claims hold. */
export interface Bundle {
  /** As it was signed. */
  readonly jws: string;
  /** `d2-policy:<account>:<app>`. */
  readonly audience: string;
  readonly version: number;
  /** Milliseconds since 1970; undefined: it does not end by itself. */
  readonly expiresAt: number | undefined;
  readonly etag: string | undefined;
  /** The key that has verified it. */
  readonly jwk: PublicJwk;
  /** The policy. */
  readonly content: { readonly metadata: object; readonly policies: readonly unknown[] };
}

/** A bundle as it comes. */
export interface RawBundle {
  readonly jws: string;
  /** Version for bundles that do not sign one. */
  readonly version: number;
  readonly etag: string | undefined;
}

/** Milliseconds that the control plane's clock may be ahead of this one. */
const LEEWAY = 60_000;

/**
 * Checks a bundle: header, key, signature, and what it claims about itself.
 *
 * @param find gives the key for a header
 * @param now milliseconds since 1970
 * @throws InvalidSignatureError, BundleExpiredError, PolicyError
 */
export function* verifyBundle(
  { jws, version, etag }: RawBundle,
  find: (header: JwsHeader) => Steps<ListedKey>,
  now: number,
): Steps<Bundle> {
  const { header, payload } = parseJws(jws);
  const { jwk, alg } = yield* find(header);
  if (!(yield* check({ jws, jwk, alg }))) {
    throw new InvalidSignatureError(
      "the bundle's signature does not hold: it was changed, or another key signed it",
    );
  }
  checkBeginnings(payload, now);
  return {
    jws,
    audience: readAudience(payload["aud"]),
    version: readVersion(payload["version"]) ?? version,
    expiresAt: readEnd(payload["exp"], now),
    etag,
    jwk,
    content: readContent(payload),
  };
}

function checkBeginnings(payload: Readonly<Record<string, unknown>>, now: number): void {
  for (const name of ["iat", "nbf"] as const) {
    const at = readInstant(payload[name], name);
    if (at === undefined || at <= now + LEEWAY) continue;
    throw refused(
      `the bundle's \`${name}\` lies in the future, at ${inWords(at)}, and it is ${inWords(now)} here: check this machine's clock`,
    );
  }
}

function readEnd(value: unknown, now: number): number | undefined {
  const at = readInstant(value, "exp");
  if (at !== undefined && at <= now) {
    throw new BundleExpiredError(
      `the bundle expired at ${inWords(at)}, and it is ${inWords(now)} here: publish anew, or check this machine's clock`,
    );
  }
  return at;
}

function readInstant(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  const at = typeof value === "number" ? value * 1000 : Number.NaN;
  if (Math.abs(at) <= 8.64e15) return at;
  throw refused(`the bundle's \`${name}\` is no number of seconds`);
}

const inWords = (at: number) => new Date(at).toISOString();

function readAudience(aud: unknown): string {
  if (
    typeof aud === "string" &&
    /^d2-policy:[\x21-\x39\x3b-\x7e]{1,256}:[\x21-\x39\x3b-\x7e]{1,256}$/.test(aud)
  ) {
    return aud;
  }
  throw refused("the bundle's `aud` must be one string, `d2-policy:<account>:<app>`");
}

function readVersion(version: unknown): number | undefined {
  if (version === undefined) return undefined;
  if (typeof version === "number" && Number.isSafeInteger(version) && version >= 0) return version;
  throw refused("the bundle's `version` must be a whole number");
}

function readContent({ metadata, policies }: Readonly<Record<string, unknown>>): Bundle["content"] {
  if (isRecord(metadata) && Array.isArray(policies)) return { metadata, policies };
  throw refused("the bundle has no policy: it needs `metadata`, an object, and `policies`, a list");
}

/** A bundle that is signed well and must not be used here. */
export function refused(message: string): PolicyError {
  return new PolicyError("bundle_refused", message);
}
