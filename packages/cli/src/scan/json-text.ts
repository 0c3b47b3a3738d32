import type { Expression } from "oxc-parser";
import { bare, nestsTooDeeply, type Parser, plainKey } from "./syntax.js";

/** A value of a configuration file; objects are maps, because their keys are the user's. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Reads JSON as configuration files have it, with comments and trailing commas. `undefined`: it is not JSON. */
export function readJsonText(parser: Parser, text: string): JsonObject | undefined {
  if (nestsTooDeeply(text)) return undefined;
  const { program, errors } = parser.parseSync("config.ts", `(${text.replace(/^\uFEFF/, "")}\n)`, {
    lang: "ts",
    preserveParens: false,
  });
  const [statement] = program.body;
  if (errors.length > 0 || statement?.type !== "ExpressionStatement") return undefined;
  const value = jsonValue(bare(statement.expression));
  return isObject(value) ? value : undefined;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/** The strings of a list, or a lone one. */
export function stringsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

export function stringAt(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.get(key);
  return typeof value === "string" ? value : undefined;
}

export function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.get(key);
  return isObject(value) ? value : undefined;
}

function jsonValue(node: Expression): JsonValue {
  if (node.type === "ObjectExpression") {
    const entries = node.properties.flatMap((property): (readonly [string, JsonValue])[] => {
      if (property.type !== "Property") return [];
      const key = plainKey(property.key, property.computed);
      return key === undefined ? [] : [[key, jsonValue(property.value)]];
    });
    return new Map(entries);
  }
  if (node.type === "ArrayExpression") {
    return node.elements.flatMap((item) =>
      item === null || item.type === "SpreadElement" ? [] : [jsonValue(item)],
    );
  }
  if (node.type !== "Literal") return null;
  const { value } = node;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}
