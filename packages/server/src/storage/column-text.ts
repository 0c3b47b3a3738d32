import type { Bytes } from "./tables.js";

/** Columns for finding hold this much of a text: PostgreSQL's indexes take no more than 2,704 bytes an entry. */
const FINDABLE = 256;

const LONE_SURROGATES = /\p{Surrogate}/gu;

/**
 * A text as both databases keep it. PostgreSQL has no NUL in its texts, SQLite's driver ends them there, and neither has
 * half a surrogate pair: each such character becomes U+FFFD, so that no input can make a statement fail.
 */
export function columnText(text: string): string {
  return text.replaceAll("\0", "\ufffd").replace(LONE_SURROGATES, "\ufffd");
}

/** A text by which rows are found; its beginning, if it is long. */
export function findableText(text: string): string;
export function findableText(text: string | null): string | null;
export function findableText(text: string | null): string | null {
  return text === null ? null : columnText(text.length > FINDABLE ? text.slice(0, FINDABLE) : text);
}

/** What both drivers can bind. */
export function columnValue(value: unknown): unknown {
  return typeof value === "string" ? columnText(value) : value;
}

/** Texts that must come back to the byte are kept as bytes. */
export function textBytes(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

export function bytesText(bytes: Bytes): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
