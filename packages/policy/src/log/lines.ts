/** A part of a log, cut anywhere. */
export type LogChunk = Uint8Array | string;

/** What a log is read from: parts in order, or all of it. */
export type LogSource = AsyncIterable<LogChunk> | Iterable<LogChunk> | LogChunk;

/** Characters that a line may have when no other limit is given: 64 Mi. */
export const DEFAULT_MAX_LINE = 64 * 2 ** 20;

// Every engine has it; the library types of this package are those of the language alone.
declare const TextDecoder: new (
  label: string,
  options: { ignoreBOM: boolean },
) => { decode(bytes?: Uint8Array, options?: { stream: boolean }): string };

/** Cuts the parts of a log into lines. Whatever is no UTF-8 comes out as U+FFFD, which no line of a log has. */
export class LineReader {
  readonly #limit: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The beginning of a line whose end has not come yet. */
  #parts: string[] = [];
  #length = 0;
  #tooLong = false;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes read so far; of parts that are text, characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Characters after the last line feed. */
  get rest(): number {
    return this.#length;
  }

  /** The lines that end in a part, without their line feeds. `undefined`: one beyond the limit. */
  *read(chunk: LogChunk): Generator<string | undefined, void, undefined> {
    this.#bytes += chunk.length;
    const text = typeof chunk === "string" ? chunk : this.#decoder.decode(chunk, { stream: true });
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      const line = this.#length === 0 ? text.slice(at, end) : this.#joined(text.slice(at, end));
      yield line !== undefined && line.length > this.#limit ? undefined : line;
      at = end + 1;
    }
    this.#keep(at === 0 ? text : text.slice(at));
  }

  #joined(end: string): string | undefined {
    this.#keep(end);
    const line = this.#tooLong ? undefined : this.#parts.join("");
    this.#parts = [];
    this.#length = 0;
    this.#tooLong = false;
    return line;
  }

  #keep(text: string): void {
    if (text === "") return;
    this.#length += text.length;
    if (this.#length > this.#limit) {
      this.#tooLong = true;
      this.#parts = [];
    } else if (!this.#tooLong) this.#parts.push(text);
  }
}

/** The parts of a source, whatever kind it is of. */
export function chunksOf(source: LogSource): AsyncIterable<LogChunk> | Iterable<LogChunk> {
  return typeof source === "string" || source instanceof Uint8Array ? [source] : source;
}
