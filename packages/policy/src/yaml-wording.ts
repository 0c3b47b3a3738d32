import type { YamlError } from "./yaml-compose.js";

/** What a syntax error is called here. */
export interface SyntaxFault {
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** UTF-16 units that the fault is about, where the library knows only the first. */
  readonly length?: number;
  /** Everything else could still be read, so that checking may go on. */
  readonly local: boolean;
}

/** Our own words for an error of the YAML library; `undefined` for what is reported in another way. */
export function wordYamlError(error: YamlError, text: string): SyntaxFault | undefined {
  const spelt = text.slice(error.range.start, error.range.start + 200);
  switch (error.code) {
    case "BAD_ALIAS":
      return {
        message: "a `*` outside quotes begins an alias: put it in quotes",
        suggestion: '"*"',
        local: true,
      };
    case "BAD_SCALAR_START": {
      const word = /^[^\s,[\]{}]+/.exec(spelt)?.[0] ?? "";
      const message = `a value cannot begin with \`${spelt.slice(0, 1)}\`: put it in quotes`;
      return {
        message,
        suggestion: word === "" ? undefined : JSON.stringify(word),
        length: word.length,
        local: true,
      };
    }
    case "BAD_DQ_ESCAPE":
      return {
        message:
          "this backslash escape is unknown: in double quotes write `\\\\` for a backslash, or use single quotes",
        local: true,
      };
    case "TAB_AS_INDENT":
      return broken("a tab cannot indent: use spaces");
    case "BAD_INDENT":
      return broken(
        /end with a/.test(error.message)
          ? "the bracket opened before is not closed: close it, or indent what stands inside it"
          : "the indentation does not fit the lines around it: align it with them",
      );
    case "BLOCK_AS_IMPLICIT_KEY":
      return broken(
        "a `key: value` cannot stand here: put the value in quotes, or the key on a line of its own",
      );
    case "BLOCK_IN_FLOW":
      return broken(
        "lists and mappings by indentation cannot stand inside brackets: use brackets inside as well",
      );
    case "MISSING_CHAR":
      return broken(missing(error.message));
    case "MULTILINE_IMPLICIT_KEY":
      return broken("a key must stand on one line with its `:`: look for a missing `:` or quote");
    case "KEY_OVER_1024_CHARS":
      return broken("the key is longer than 1024 characters: shorten it");
    case "MULTIPLE_ANCHORS":
      return broken("a value has one anchor at most: take one out");
    case "ALIAS_PROPS":
    case "BAD_PROP_ORDER":
      return broken("the anchor is in the wrong place: write it right before the value");
    case "MULTIPLE_TAGS":
    case "TAG_RESOLVE_FAILED":
    case "BAD_COLLECTION_TYPE":
      return undefined; // every tag is a fault already
    case "BAD_DIRECTIVE":
    case "UNEXPECTED_TOKEN":
    case "RESOURCE_EXHAUSTION":
    case "IMPOSSIBLE":
    case "DUPLICATE_KEY":
    case "MULTIPLE_DOCS":
    case "NON_STRING_KEY":
      return broken("this does not belong here: look for a missing quote, comma, bracket or `:` before it");
  }
}

function broken(message: string): SyntaxFault {
  return { message, local: false };
}

function missing(detail: string): string {
  if (/quote/.test(detail)) return "the quote opened here is not closed: close it";
  if (/map/.test(detail)) return "a `:` is missing: write `key: value`";
  return "a closing bracket, quote or `:` is missing: add it";
}
