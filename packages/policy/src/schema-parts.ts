/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A list of strings, for which a lone string may stand. */
export function textList(description: string, item: JsonSchema = { type: "string" }): JsonSchema {
  return { description, anyOf: [item, { type: "array", items: item }] };
}

const NAME = "[^\\s@*]+";

/** What names a tool or a set of tools. */
export const toolPattern: JsonSchema = {
  type: "string",
  pattern: `^(\\*|${NAME}|${NAME}[.:/]\\*)$`,
  patternErrorMessage: "A tool id, `*`, or a prefix that ends in `.*`, `:*` or `/*`.",
};

export const toolReference: JsonSchema = {
  type: "string",
  pattern: `^(\\*|@?${NAME}|${NAME}[.:/]\\*)$`,
  patternErrorMessage: "A tool id, `*`, a prefix that ends in `.*`, `:*` or `/*`, or an `@group`.",
};
