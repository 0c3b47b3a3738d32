import { InvalidSignatureError } from "d2-core/call";
import type { SigningAlgorithm } from "./check-signature.js";

/** What the header of a bundle says. Nothing in it is known to be true before the signature is checked. */
export interface JwsHeader {
  readonly alg: SigningAlgorithm;
  readonly kid: string;
  /** Names the rotation of keys that the header announces; undefined: it announces none. */
  readonly rotation: string | undefined;
}

/** A compact JWS, taken apart. */
export interface ParsedJws {
  readonly header: JwsHeader;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Header members that bring a key along, or demand what is not understood here. */
const REFUSED_MEMBERS = ["jku", "jwk", "x5u", "x5c", "crit", "b64"] as const;

const KNOWN_TYPES: ReadonlySet<unknown> = new Set(["JOSE", "JWT"]);

const MAX_KID = 256;

/**
 * Takes a compact JWS apart, and refuses every header that is not as bundles have it.
 *
 * @throws InvalidSignatureError
 */
export function parseJws(jws: string): ParsedJws {
  const [head, body, signature, ...rest] = jws.split(".");
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) {
    throw new InvalidSignatureError("the bundle is not signed: it is no compact JWS of three parts");
  }
  if (![head, body, signature].every((part) => /^[A-Za-z0-9_-]+$/.test(part))) {
    throw new InvalidSignatureError("the bundle is not signed: a part of its JWS is empty or not base64url");
  }
  return { header: readHeader(readPart(head, "header")), payload: readPart(body, "payload") };
}

function readHeader(header: Readonly<Record<string, unknown>>): JwsHeader {
  const { alg, kid, typ } = header;
  if (alg !== "RS256" && alg !== "EdDSA") {
    throw new InvalidSignatureError(
      `the bundle's signature has the algorithm ${shown(alg)}: only RS256 and EdDSA are accepted`,
    );
  }
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID) {
    throw new InvalidSignatureError(
      `the bundle's header must name its key by a \`kid\` of 1 to ${MAX_KID} characters`,
    );
  }
  const refused = REFUSED_MEMBERS.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) {
    throw new InvalidSignatureError(
      `the bundle's header has \`${refused}\`, which is not accepted: keys come from the key list only`,
    );
  }
  if (typ !== undefined && !KNOWN_TYPES.has(typ)) {
    throw new InvalidSignatureError(
      `the bundle's header has the type ${shown(typ)}: only \`JOSE\` and \`JWT\` are accepted`,
    );
  }
  return { alg, kid, rotation: readRotation(header) };
}

function readRotation(header: Readonly<Record<string, unknown>>): string | undefined {
  if (header["jwks_refresh"] !== true) return undefined;
  const named = [header["rotation_id"], header["new_kid"], header["kid"]];
  return named.find((it): it is string => typeof it === "string" && it !== "");
}

/** What an unverified header says, fit for a log line. */
export function shown(value: unknown): string {
  return typeof value === "string" && /^[\w.:-]{1,64}$/.test(value) ? `\`${value}\`` : "(not shown)";
}

function readPart(part: string, name: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    const bytes = Buffer.from(part, "base64url");
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InvalidSignatureError(`the ${name} of the bundle's JWS is not JSON`, { cause });
  }
  if (!isRecord(value)) {
    throw new InvalidSignatureError(`the ${name} of the bundle's JWS is not a JSON object`);
  }
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
