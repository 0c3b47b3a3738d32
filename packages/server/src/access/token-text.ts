import { hash, timingSafeEqual } from "node:crypto";
import type { TokenKind } from "../storage/storage.js";

const LETTERS: Readonly<Record<TokenKind, string>> = { runtime: "r", developer: "d", admin: "a" };

const TOKEN = /^d2[rda]_[A-Za-z0-9_-]{43}$/;

/** The text of a new token: it is shown once and kept nowhere. */
export function newTokenText(kind: TokenKind, randomBytes: (count: number) => Uint8Array): string {
  return `d2${LETTERS[kind]}_${Buffer.from(randomBytes(32)).toString("base64url")}`;
}

/** By what a token is found: the SHA-256 of its text, 64 lower-case hex digits. */
export function tokenDigest(text: string): string {
  return hash("sha256", text, "hex");
}

/** The token of an `Authorization` header; undefined: it is none of ours. */
export function bearerToken(header: string): string | undefined {
  const text = /^bearer +/i.test(header) ? header.slice(7).trim() : "";
  return TOKEN.test(text) ? text : undefined;
}

/** Whether a token is anywhere in a text, which must then be neither logged nor sent back. */
export function holdsToken(text: string): boolean {
  return /d2[rda]_[A-Za-z0-9_-]{43}/.test(text);
}

/** Whether two digests are the same, in time that does not depend on where they differ. */
export function sameDigest(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
