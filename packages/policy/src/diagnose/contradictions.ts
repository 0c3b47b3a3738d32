import { type FieldRule, OPERATORS, type OperatorName, type PolicyValue } from "d2-core";

/** Why no value can satisfy all operators of a rule without an action; `undefined`: some may. */
export function contradictionOf(rule: FieldRule): string | undefined {
  const operands = new Map(rule.operators.map(({ name, operand }) => [name, operand]));
  return namedValues(rule, operands) ?? bounds(operands) ?? kinds(rule, operands);
}

type Operands = ReadonlyMap<OperatorName, PolicyValue>;

/** The values that `eq` or `in` name, each tried on the other operators. */
function namedValues(rule: FieldRule, operands: Operands): string | undefined {
  const eq = operands.get("eq");
  const list = operands.get("in");
  if (eq === undefined && list === undefined) return undefined;
  const name = eq === undefined ? "in" : "eq";
  const values: readonly PolicyValue[] = eq !== undefined ? [eq] : Array.isArray(list) ? list : [];
  const refusing = rule.operators.filter(
    ({ name: other, operand }) =>
      other !== name && !values.some((value) => OPERATORS.get(other)?.bind(operand).holds(value)),
  );
  const [first] = refusing;
  if (first !== undefined) {
    return name === "eq"
      ? `\`${first.name}\` refuses the value that \`eq\` asks for`
      : `\`${first.name}\` refuses every value that \`in\` lists`;
  }
  const some = values.some((value) =>
    rule.operators.every(({ name: other, operand }) => OPERATORS.get(other)?.bind(operand).holds(value)),
  );
  return some ? undefined : "each value that `in` lists is refused by some other operator";
}

/** Numbers between the bounds. `min` above `max` is an error already. */
function bounds(operands: Operands): string | undefined {
  const [min, max, gt, lt] = (["min", "max", "gt", "lt"] as const).map((name) => {
    const operand = operands.get(name);
    return typeof operand === "number" ? operand : undefined;
  });
  const low = Math.max(min ?? -Infinity, gt ?? -Infinity);
  const high = Math.min(max ?? Infinity, lt ?? Infinity);
  const strict = low === gt || high === lt;
  if (low > high || (low === high && strict)) return "its bounds leave no number between them";
  if (operands.get("type") !== "int" || low === -Infinity || high === Infinity) return undefined;
  const least = low === gt ? Math.floor(low) + 1 : Math.ceil(low);
  const most = high === lt ? Math.ceil(high) - 1 : Math.floor(high);
  return least > most ? "its bounds leave no integer between them" : undefined;
}

type Kind = "number" | "string" | "boolean" | "list" | "mapping" | "set";

/** What kinds of value the operators can hold for, null apart. */
function kinds(rule: FieldRule, operands: Operands): string | undefined {
  let left: readonly Kind[] = ALL;
  let before: OperatorName | undefined;
  for (const { name, operand } of rule.operators) {
    const possible = kindsOf(name, operand);
    if (possible === undefined) continue;
    const both = left.filter((kind) => possible.includes(kind));
    // `null` passes what takes it for absent, and that is seldom what was meant; say so only where nothing else passes.
    if (both.length === 0 && !(operands.has("eq") || operands.has("in") || namesNull(operands.get("type")))) {
      return before === undefined
        ? undefined
        : `\`${before}\` and \`${name}\` are about different kinds of value`;
    }
    if (both.length < left.length) before = name;
    left = both;
  }
  return undefined;
}

const ALL: readonly Kind[] = ["number", "string", "boolean", "list", "mapping", "set"];

function kindsOf(name: OperatorName, operand: PolicyValue): readonly Kind[] | undefined {
  switch (name) {
    case "type":
      return (Array.isArray(operand) ? operand : [operand]).flatMap((type) => KINDS.get(type) ?? []);
    case "min":
    case "max":
    case "gt":
    case "lt":
      return ["number"];
    case "minLength":
    case "maxLength":
      return ["string", "list", "mapping", "set"];
    case "matches":
    case "not_matches":
    case "startsWith":
    case "endsWith":
      return ["string"];
    case "contains":
    case "not_contains":
      return ["string", "list", "set"];
    case "required":
    case "eq":
    case "ne":
    case "in":
    case "not_in":
    case "max_bytes":
      return undefined;
  }
}

function namesNull(type: PolicyValue | undefined): boolean {
  const names: readonly unknown[] = Array.isArray(type) ? type : [type];
  return names.includes("null") || names.includes("none");
}

const KINDS: ReadonlyMap<PolicyValue, readonly Kind[]> = new Map<PolicyValue, readonly Kind[]>([
  ["int", ["number"]],
  ["float", ["number"]],
  ["number", ["number"]],
  ["string", ["string"]],
  ["str", ["string"]],
  ["bool", ["boolean"]],
  ["boolean", ["boolean"]],
  // A set in an output counts as a list.
  ["list", ["list", "set"]],
  ["array", ["list", "set"]],
  ["tuple", ["list", "set"]],
  ["dict", ["mapping"]],
  ["object", ["mapping"]],
  ["set", ["set"]],
]);
