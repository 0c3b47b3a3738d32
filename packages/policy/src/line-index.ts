/** A place in a text. Lines and columns count from 1, columns in code points. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Turns offsets of a text into lines and columns. */
export class LineIndex {
  readonly text: string;
  readonly #starts: readonly number[];
  /** Place found last: on one very long line, the next one is counted on from there. */
  #last = { offset: 0, line: 1, column: 1 };

  constructor(text: string) {
    this.text = text;
    const starts = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** @param offset UTF-16 offset; one past the end of the text is its last place. */
  position(offset: number): TextPosition {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const line = low + 1;
    const end = Math.min(offset, this.text.length);
    const from =
      this.#last.line === line && this.#last.offset <= end
        ? this.#last
        : { offset: this.#starts[low] ?? 0, line, column: 1 };
    const column = from.column + codePointsBetween(this.text, from.offset, end);
    this.#last = { offset: end, line, column };
    return { line, column };
  }

  /** A line without its line break; `undefined` beyond the last one. */
  line(number: number): string | undefined {
    const start = this.#starts[number - 1];
    if (start === undefined) return undefined;
    const next = this.#starts[number];
    return this.text.slice(start, next === undefined ? undefined : next - 1).replace(/\r$/, "");
  }
}

/** Code points that begin between two offsets. */
export function codePointsBetween(text: string, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; index++) {
    if ((text.codePointAt(index) ?? 0) > 0xffff) index++;
    count++;
  }
  return count;
}

/** Offset of a column, which counts code points from 1. */
export function offsetOfColumn(text: string, column: number): number {
  let offset = 0;
  for (let at = 1; at < column && offset < text.length; at++)
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}
