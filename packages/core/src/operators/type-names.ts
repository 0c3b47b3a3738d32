import { isList, isMapping, kindOf } from "../values/kind.js";
import { nearest } from "./suggest.js";

/** Every word that `type` knows. */
export const TYPE_NAMES = [
  "int",
  "float",
  "number",
  "string",
  "str",
  "bool",
  "boolean",
  "list",
  "array",
  "dict",
  "object",
  "set",
  "tuple",
  "null",
  "none",
] as const;

export type TypeName = (typeof TYPE_NAMES)[number];

const KNOWN: ReadonlySet<string> = new Set(TYPE_NAMES);

export function isTypeName(word: string): word is TypeName {
  return KNOWN.has(word);
}

/**
 * The test that a type name stands for. Null passes all: where it is not listed it counts as absent, and where it is
 * listed it is allowed.
 */
export function typeTest(name: TypeName): (value: unknown) => boolean {
  switch (name) {
    case "int":
      return isInt;
    case "float":
    case "number":
      return isFiniteNumber;
    case "string":
    case "str":
      return isString;
    case "bool":
    case "boolean":
      return isBoolean;
    case "list":
    case "array":
    case "tuple":
      return isListValue;
    case "dict":
    case "object":
      return isMappingValue;
    case "set":
      return isSetValue;
    case "null":
    case "none":
      return isNull;
  }
}

function isInt(value: unknown): boolean {
  return Number.isInteger(value) || typeof value === "bigint" || value === null;
}

function isFiniteNumber(value: unknown): boolean {
  return Number.isFinite(value) || typeof value === "bigint" || value === null;
}

function isString(value: unknown): boolean {
  return typeof value === "string" || value === null;
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean" || value === null;
}

function isListValue(value: unknown): boolean {
  return isList(value) || value === null;
}

function isMappingValue(value: unknown): boolean {
  return isMapping(value) || value === null;
}

function isSetValue(value: unknown): boolean {
  return kindOf(value) === "set" || value === null;
}

function isNull(value: unknown): boolean {
  return value === null;
}

/** What other languages and schemas call our types. */
const TYPE_WORDS: ReadonlyMap<string, TypeName> = new Map([
  ["integer", "int"],
  ["long", "int"],
  ["bigint", "int"],
  ["double", "float"],
  ["decimal", "float"],
  ["real", "float"],
  ["numeric", "number"],
  ["num", "number"],
  ["text", "string"],
  ["char", "string"],
  ["logical", "bool"],
  ["sequence", "list"],
  ["vector", "list"],
  ["map", "dict"],
  ["mapping", "dict"],
  ["hash", "dict"],
  ["record", "dict"],
  ["dictionary", "dict"],
  ["nil", "null"],
  ["nonetype", "null"],
  ["undefined", "null"],
]);

/** The type that a misspelt one probably means. */
export function suggestType(word: string): TypeName | undefined {
  return TYPE_WORDS.get(word.toLowerCase()) ?? nearest(word, TYPE_NAMES);
}
