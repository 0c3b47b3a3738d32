import { isList, isMapping, MAX_DEPTH, type PlainMapping } from "./kind.js";

/**
 * Bytes that a value takes: a string in UTF-8 without quotes, anything else as compact JSON in UTF-8.
 *
 * @param limit Counting stops soon after this many bytes, so the work is bounded by it: an answer above `limit`
 *   means "more than `limit`" and no more.
 * @returns `undefined` for what JSON cannot hold: NaN, infinities, bigints, `undefined` in a list, holes, a cycle or
 *   more than 128 levels, and everything that is not plain data. A key whose value is `undefined` is left out.
 */
export function byteSize(value: unknown, limit: number): number | undefined {
  if (typeof value === "string") return utf8Size(value, limit);
  return jsonSize(value, limit);
}

/** Bytes of the compact JSON of a value, a string in its quotes. Otherwise as `byteSize`. */
export function jsonSize(value: unknown, limit: number): number | undefined {
  return measure(value, limit, 1);
}

/** UTF-8 bytes of a text; a surrogate without its partner counts as U+FFFD, three bytes. */
export function utf8Size(text: string, limit: number): number {
  if (text.length > limit) return text.length;
  let bytes = 0;
  for (let index = 0; index < text.length && bytes <= limit; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (startsPair(text, index)) {
      bytes += 4;
      index++;
    } else bytes += 3;
  }
  return bytes;
}

function measure(value: unknown, limit: number, depth: number): number | undefined {
  switch (typeof value) {
    case "string":
      return quotedSize(value, limit);
    case "number":
      if (!Number.isFinite(value)) return undefined;
      return String(value).length;
    case "boolean":
      return value ? 4 : 5;
    case "object":
      if (value === null) return 4;
      if (depth > MAX_DEPTH) return undefined;
      if (isList(value)) return measureList(value, limit, depth);
      return isMapping(value) ? measureMapping(value, limit, depth) : undefined;
    case "bigint":
    case "undefined":
    case "symbol":
    case "function":
      return undefined;
  }
}

function measureList(list: readonly unknown[], limit: number, depth: number): number | undefined {
  let bytes = 2 + Math.max(0, list.length - 1);
  for (let index = 0; index < list.length; index++) {
    const item = measure(list[index], limit - bytes, depth + 1);
    if (item === undefined) return undefined;
    bytes += item;
    if (bytes > limit) return bytes;
  }
  return bytes;
}

function measureMapping(mapping: PlainMapping, limit: number, depth: number): number | undefined {
  let bytes = 2;
  let first = true;
  for (const key of Object.keys(mapping)) {
    const value = mapping[key];
    if (value === undefined) continue;
    bytes += (first ? 1 : 2) + quotedSize(key, limit - bytes);
    first = false;
    const size = measure(value, limit - bytes, depth + 1);
    if (size === undefined) return undefined;
    bytes += size;
    if (bytes > limit) return bytes;
  }
  return bytes;
}

/** Bytes of a JSON string: two quotes, and what `JSON.stringify` escapes. */
function quotedSize(text: string, limit: number): number {
  if (text.length + 2 > limit) return text.length + 2;
  let bytes = 2;
  for (let index = 0; index < text.length && bytes <= limit; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22 || unit === 0x5c) bytes += 2;
    else if (unit < 0x20) bytes += isShortEscape(unit) ? 2 : 6;
    else if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (startsPair(text, index)) {
      bytes += 4;
      index++;
    } else bytes += unit >= 0xd800 && unit <= 0xdfff ? 6 : 3;
  }
  return bytes;
}

/** `\b`, `\t`, `\n`, `\f` and `\r`; the other control characters are written as `\u` and four digits. */
function isShortEscape(unit: number): boolean {
  return (unit >= 0x08 && unit <= 0x0a) || unit === 0x0c || unit === 0x0d;
}

function startsPair(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
