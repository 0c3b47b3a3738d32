/** What may stand between quotes as it is: U+0020..U+007E without `"` and `\`. */
const UNESCAPED = /^[ !#-[\]-~]*$/;

/** Whether a text needs no escapes, which also means that its UTF-16 order is its code point order. */
export function isUnescaped(text: string): boolean {
  return UNESCAPED.test(text);
}

/**
 * A text as a JSON string in printable ASCII: the short escapes of JSON, lower-case `\uXXXX` for everything else outside
 * U+0020..U+007E (U+007F included), `/` as it is. No Unicode normalisation.
 *
 * @returns `undefined` for an ill-formed text (a surrogate without its partner).
 */
export function quoteAscii(text: string): string | undefined {
  return UNESCAPED.test(text) ? `"${text}"` : quoteEscaping(text);
}

function quoteEscaping(text: string): string | undefined {
  let quoted = '"';
  let written = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x20 && unit <= 0x7e && unit !== 0x22 && unit !== 0x5c) continue;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const next = text.charCodeAt(index + 1); // NaN at the end
      if (unit >= 0xdc00 || !(next >= 0xdc00 && next <= 0xdfff)) return undefined;
      quoted += text.slice(written, index) + hexEscape(unit) + hexEscape(next);
      index += 1;
    } else {
      quoted += text.slice(written, index) + escapeUnit(unit);
    }
    written = index + 1;
  }
  return `${quoted}${text.slice(written)}"`;
}

function escapeUnit(unit: number): string {
  switch (unit) {
    case 0x22:
      return '\\"';
    case 0x5c:
      return "\\\\";
    case 0x08:
      return "\\b";
    case 0x09:
      return "\\t";
    case 0x0a:
      return "\\n";
    case 0x0c:
      return "\\f";
    case 0x0d:
      return "\\r";
  }
  return hexEscape(unit);
}

function hexEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
