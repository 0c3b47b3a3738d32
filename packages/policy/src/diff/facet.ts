import type { FieldRule, OperatorName, PolicyValue } from "d2-core";
import { operatorWords } from "../explain/consulted-rules.js";
import type { ChangeDirection } from "./policy-diff.js";
import { valueKey } from "./value-key.js";

type OperatorUse = FieldRule["operators"][number];

/** A rule on one path, as it meets the others on that path. */
export interface PathRule {
  readonly operators: readonly OperatorUse[];
  /** Document path. */
  readonly at: string;
  /** An input rule under the exact tool id: the guard must know the argument by name. */
  readonly exact: boolean;
}

/**
 * One side of what all rules on a path ask of a value together: its lower bound, the values it may have, its types. A
 * value passes when it passes every facet. `below` and `above`: a limit. `within`: the value is one of a set. `every`: each
 * member of a set must hold, so that more of them ask for more.
 */
export type Facet = { readonly words: string; readonly at: readonly string[] } & (
  | { readonly shape: "above" | "below"; readonly limit: number; readonly strict: boolean }
  | { readonly shape: "within" | "every"; readonly values: ReadonlySet<string> }
);

/** Operators that say something of the same side of a value share a name. */
function facetName(name: OperatorName): string {
  switch (name) {
    case "min":
    case "gt":
      return "lower";
    case "max":
    case "lt":
      return "upper";
    case "eq":
    case "in":
      return "allowed";
    case "ne":
    case "not_in":
      return "excluded";
    case "required":
    case "type":
    case "minLength":
    case "maxLength":
    case "max_bytes":
    case "matches":
    case "not_matches":
    case "contains":
    case "not_contains":
    case "startsWith":
    case "endsWith":
      return name;
  }
}

interface PlacedUse extends OperatorUse {
  readonly at: string;
}

/** What the rules on a path ask for, by the name of the facet. `output`: of a returned value, where a Set is a list too. */
export function facetsOf(rules: readonly PathRule[], output: boolean): ReadonlyMap<string, Facet> {
  const uses = new Map<string, PlacedUse[]>();
  for (const { operators, at } of rules) {
    for (const use of operators) {
      if (use.name === "required" && use.operand !== true) continue;
      const name = facetName(use.name);
      const known = uses.get(name);
      if (known === undefined) uses.set(name, [{ ...use, at }]);
      else known.push({ ...use, at });
    }
  }
  const facets = new Map([...uses].map(([name, own]) => [name, facetOf(own, output)]));
  const exact = rules.filter((rule) => rule.exact).map(({ at }) => at);
  if (exact.length > 0) {
    const words = "an argument that the guard knows by name";
    facets.set("named", { shape: "every", values: new Set(), words, at: exact });
  }
  return facets;
}

function facetOf(uses: readonly PlacedUse[], output: boolean): Facet {
  const at = [...new Set(uses.map((use) => use.at))];
  const words = [...new Set(uses.map(({ name, operand }) => operatorWords(name, operand)))].join(", ");
  const every = (values: readonly string[]): Facet => ({
    shape: "every",
    values: new Set(values),
    words,
    at,
  });
  const operands = uses.map(({ operand }) => operand);
  switch (uses[0]?.name) {
    case "min":
    case "gt":
    case "minLength":
      return limitOf(uses, "above");
    case "max":
    case "lt":
    case "maxLength":
    case "max_bytes":
      return limitOf(uses, "below");
    case "eq":
    case "in":
      return { shape: "within", values: shared(uses.map(valuesNamed)), words, at };
    case "type":
      return {
        shape: "within",
        values: shared(operands.map((operand) => kindsOf(operand, output))),
        words,
        at,
      };
    case "ne":
    case "not_in":
      return every(uses.flatMap(valuesNamed));
    case "required":
    case "matches":
    case "not_matches":
    case "contains":
    case "not_contains":
    case "startsWith":
    case "endsWith":
    case undefined:
      return every(operands.map(valueKey));
  }
}

/** The limit that binds: of equal ones the strict one. */
function limitOf(uses: readonly PlacedUse[], shape: "above" | "below"): Facet {
  const sign = shape === "above" ? 1 : -1;
  const strict = ({ name }: PlacedUse) => name === "gt" || name === "lt";
  const [first] = uses
    .map((use) => ({ use, limit: Number(use.operand) }))
    .sort((a, b) => sign * (b.limit - a.limit) || Number(strict(b.use)) - Number(strict(a.use)));
  if (first === undefined) return { shape: "every", values: new Set(), words: "", at: [] };
  const { use, limit } = first;
  return {
    shape,
    limit,
    strict: strict(use),
    words: operatorWords(use.name, use.operand),
    at: [use.at],
  };
}

function valuesNamed({ name, operand }: OperatorUse): readonly string[] {
  const listed = (name === "in" || name === "not_in") && Array.isArray(operand);
  const values: readonly PolicyValue[] = listed ? operand : [operand];
  return values.map(valueKey);
}

function shared(lists: readonly (readonly string[])[]): ReadonlySet<string> {
  const [first = [], ...rest] = lists;
  return new Set(first.filter((value) => rest.every((list) => list.includes(value))));
}

/** The kinds of values that the names of types let through. Null passes every type. */
function kindsOf(operand: PolicyValue, output: boolean): readonly string[] {
  const names: readonly PolicyValue[] = Array.isArray(operand) ? operand : [operand];
  return [...new Set(names.flatMap((name) => kindsOfName(name, output)))];
}

function kindsOfName(name: PolicyValue, output: boolean): readonly string[] {
  switch (name) {
    case "int":
      return ["integer"];
    case "float":
    case "number":
      return ["integer", "fraction"];
    case "string":
    case "str":
      return ["string"];
    case "bool":
    case "boolean":
      return ["boolean"];
    case "list":
    case "array":
    case "tuple":
      return output ? ["list", "set"] : ["list"];
    case "dict":
    case "object":
      return ["mapping"];
    case "set":
      return ["set"];
  }
  return []; // `null` and `none`: what passes every type anyway
}

/** From what was asked for before to what is asked for now; nothing when both ask for the same. */
export function facetDirection(before: Facet, after: Facet): Exclude<ChangeDirection, "neutral"> | undefined {
  const tighter = implies(after, before);
  const looser = implies(before, after);
  if (tighter && looser) return undefined;
  if (tighter) return "tightened";
  return looser ? "loosened" : "changed";
}

/** Whether every value that passes `one` passes `other`. */
function implies(one: Facet, other: Facet): boolean {
  switch (one.shape) {
    case "above":
    case "below":
      if (other.shape !== one.shape) return false;
      if (one.limit === other.limit) return one.strict || !other.strict;
      return one.shape === "above" ? one.limit > other.limit : one.limit < other.limit;
    case "within":
      return other.shape === "within" && isPart(one.values, other.values);
    case "every":
      return other.shape === "every" && isPart(other.values, one.values);
  }
}

function isPart(part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean {
  return [...part].every((value) => whole.has(value));
}
