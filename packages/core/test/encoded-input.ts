import { readFileSync } from "node:fs";
import { AnchorRef, type AnchorType } from "../src/contract/anchor.js";
import { GateDecision } from "../src/contract/gate-decision.js";
import type { DecisionOutcome } from "../src/contract/policy-decision.js";

/** A case of `conformance/decisions`; its README says what is in it. */
export interface Vector {
  readonly id: string;
  readonly input: unknown;
  readonly expect: Readonly<Record<string, unknown>>;
  readonly portable?: boolean;
  readonly python_specific?: readonly string[];
}

export interface Difference {
  readonly file: string;
  readonly id: string;
  readonly we: string;
  readonly clause: string;
  readonly reason: string;
}

const folder = new URL("../../../conformance/decisions/", import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

// The files are ours and fixed: their shape is that of their README.
export const vectors = (file: string): readonly Vector[] =>
  (read(file) as { readonly vectors: readonly Vector[] }).vectors;

/** The cases that another language can build. */
export const portableVectors = (file: string): readonly Vector[] =>
  vectors(file).filter(({ portable }) => portable !== false);

export const differences = (
  read("intended-differences.json") as { readonly differences: readonly Difference[] }
).differences;

export const isIntended = (file: string, id: string): boolean =>
  differences.some((one) => one.file === file && one.id === id);

class Opaque {}

/** Builds the value of an encoded input. What only Python has becomes the nearest thing of this language. */
export function build(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(build);
  if (typeof input !== "object" || input === null) return input;
  const fields = new Map<string, unknown>(Object.entries(input));
  const kind = fields.get("$t");
  if (typeof kind !== "string") return buildMapping([...fields]);
  return buildTagged(kind, fields.get("v"));
}

function buildMapping(entries: readonly (readonly [unknown, unknown])[]): unknown {
  const mapping: Record<PropertyKey, unknown> = {};
  for (const [key, value] of entries) {
    const built = build(key);
    // A key that is no string has no counterpart but a symbol.
    const name = typeof built === "string" ? built : Symbol("key");
    Object.defineProperty(mapping, name, { value: build(value), enumerable: true });
  }
  return mapping;
}

function buildTagged(kind: string, content: unknown): unknown {
  const text = String(content);
  // The README's shapes of a map, a list and the two records.
  const list = content as readonly unknown[];
  const record = content as Readonly<Record<string, string>>;
  switch (kind) {
    case "int":
      return BigInt(text);
    case "int_pow10":
      return 10n ** BigInt(text);
    case "float":
      return text === "inf" ? Number.POSITIVE_INFINITY : Number(text);
    case "map":
      return buildMapping(list as readonly (readonly [unknown, unknown])[]);
    case "tuple":
      return build(content);
    case "set":
    case "frozenset":
      return new Set(list.map(build));
    case "bytes":
    case "bytearray":
      return new Uint8Array([1]);
    case "datetime":
      return new Date(text);
    case "str_codepoints":
      return String.fromCodePoint(...list.map(Number));
    case "str_subclass":
      return text;
    case "int_subclass":
      return BigInt(text);
    case "nested_lists": {
      let value: unknown = 0;
      for (let depth = Number(text); depth > 0; depth -= 1) value = [value];
      return value;
    }
    case "gate_decision":
      return new GateDecision(
        record["decision"] as DecisionOutcome, // checked by the constructor
        record["reason_code"] ?? "",
        record["reason_message"] ?? null,
      );
    case "anchor_ref":
      return new AnchorRef(record["anchor_id"] ?? "", record["anchor_type"] as AnchorType); // checked there
    case "opaque":
      return new Opaque();
  }
  throw new Error(`unknown encoding \`${kind}\``);
}
