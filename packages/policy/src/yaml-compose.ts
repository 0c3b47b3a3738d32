import { MAX_DOCUMENT_DEPTH } from "d2-core";
import { Composer, type CST, type Document, Lexer, Parser, type YAMLParseError } from "yaml";

/** UTF-16 offsets into the text, `end` exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Something that the YAML library finds wrong with a text. */
export interface YamlError {
  readonly code: YAMLParseError["code"];
  /** The library's own words. */
  readonly message: string;
  readonly range: TextRange;
}

/** What became of a text. */
export interface ComposedYaml {
  /** The first document; absent when reading stopped before its end. */
  readonly document: Document.Parsed | undefined;
  readonly errors: readonly YamlError[];
  /** Explicit tags, such as `!!int`. */
  readonly tags: readonly TextRange[];
  /** `%TAG`, and `%YAML` for another version than 1.2. */
  readonly directives: readonly TextRange[];
  /** Where a second document begins. */
  readonly second: TextRange | undefined;
  /** Where the text became so deep that reading stopped. */
  readonly tooDeep: TextRange | undefined;
}

/** Errors, tags and directives after which reading stops: a text can hold millions, and each costs far more than a value. */
const MAX_FINDINGS = 100;

/** Before a scalar's own text the lexer puts this mark. */
const SCALAR_MARK = "\x1f";
const EXCLAMATION_MARK = 0x21;
const PERCENT_SIGN = 0x25;

/** Reads a YAML text up to the end of its first document. */
export function composeYaml(text: string): ComposedYaml {
  return new Composing(text).run();
}

/** Ends composing from within; never leaves this module. */
class TooMuchFound extends Error {}

/** How the composer reports an error; see `getErrorPos` of the library for the kinds of place. */
type OnError = (place: ErrorPlace, code: YamlError["code"], message: string, warning?: boolean) => void;
type ErrorPlace =
  | number
  | readonly [number, number, ...number[]]
  | { readonly offset: number; readonly source?: string };

class Composing {
  readonly #text: string;
  readonly #errors: YamlError[] = [];
  readonly #tags: TextRange[] = [];
  readonly #directives: TextRange[] = [];
  #tooDeep: TextRange | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  run(): ComposedYaml {
    let first: Document.Parsed | undefined;
    let second: TextRange | undefined;
    try {
      for (const document of this.#composer().compose(this.#tokens(), true, this.#text.length)) {
        if (first !== undefined) {
          const start = document.range[0];
          second = { start, end: start + 3 };
          break;
        }
        first = document;
        for (const error of document.errors) this.#note(error.pos, error.code, error.message);
      }
    } catch (error) {
      if (!(error instanceof TooMuchFound)) throw error;
      first = undefined;
    }
    return {
      document: this.#tooDeep === undefined ? first : undefined,
      errors: this.#errors,
      tags: this.#tags,
      directives: this.#directives,
      second,
      tooDeep: this.#tooDeep,
    };
  }

  #composer(): Composer {
    const composer = new Composer({
      version: "1.2",
      schema: "core",
      intAsBigInt: true,
      merge: false,
      resolveKnownTags: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    });
    // The library has no limit of its own on errors, so its handler is replaced. It is a plain property of the composer,
    // though declared private; should that change, errors still arrive with the document, only without this bound.
    (composer as unknown as { onError: OnError }).onError = (place, code, message, warning) => {
      if (warning !== true) this.#note(place, code, message);
    };
    return composer;
  }

  /**
   * The tokens of the text. The parser keeps its open collections on a stack of its own, while composing them is
   * recursive: a text deeper than any policy may be ends here and never gets that far.
   */
  *#tokens(): Generator<CST.Token, void> {
    const parser = new Parser();
    let inScalar = false;
    for (const lexeme of new Lexer().lex(this.#text)) {
      const start = parser.offset;
      for (const token of parser.next(lexeme)) {
        if (token.type === "error") this.#note(token, "UNEXPECTED_TOKEN", token.message);
        else yield token;
      }
      if (parser.stack.length > 2 * MAX_DOCUMENT_DEPTH) {
        this.#tooDeep = { start, end: start + lexeme.length };
        throw new TooMuchFound();
      }
      const first = lexeme.charCodeAt(0);
      if (!inScalar && (first === EXCLAMATION_MARK || first === PERCENT_SIGN)) this.#look(lexeme, start);
      inScalar = lexeme === SCALAR_MARK;
    }
    yield* parser.end();
  }

  #look(lexeme: string, start: number): void {
    const range = { start, end: start + lexeme.length };
    if (lexeme.charCodeAt(0) === EXCLAMATION_MARK) this.#tags.push(range);
    else if (!/^%YAML[ \t]+1\.2[ \t]*(#.*)?$/.test(lexeme)) this.#directives.push(range);
    this.#bound();
  }

  #note(place: ErrorPlace, code: YamlError["code"], message: string): void {
    this.#bound(); // the library catches what is thrown in one node and reports it as an error of the node around it
    this.#errors.push({ code, message, range: rangeOfPlace(place) });
  }

  #bound(): void {
    if (this.#errors.length + this.#tags.length + this.#directives.length >= MAX_FINDINGS)
      throw new TooMuchFound();
  }
}

function rangeOfPlace(place: ErrorPlace): TextRange {
  if (typeof place === "number") return { start: place, end: place + 1 };
  if ("offset" in place) return { start: place.offset, end: place.offset + (place.source?.length ?? 1) };
  return { start: place[0], end: place[1] };
}
