/** Words that YAML, or an older reader of it, takes for something else than text. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A text as a YAML value on a line of its own; in quotes where it could be read as something else. */
export function yamlWord(text: string): string {
  const plain = /^[A-Za-z_][\w./-]*(?::[\w./-]+)*$/.test(text) && !RESERVED.test(text);
  return plain ? text : quotedWord(text);
}

/** A text inside `[…]` or `{…}`. */
export function flowWord(text: string): string {
  return text.includes(":") ? quotedWord(text) : yamlWord(text);
}

/** A text that comes from outside, fit for a comment: on one line, with nothing that is not seen. */
export function commentWord(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, escaped);
}

function quotedWord(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped);
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("");
}
