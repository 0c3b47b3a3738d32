import type { CanonicalValue } from "../canonical/canonical-json.js";
import { decodeTagged, encodeTagged } from "../canonical/tagged.js";
import type { ContextInputs } from "../contract/policy-context.js";
import type { OperatorUse } from "../document/document.js";
import { compileInput, type InputPlan } from "../input/compile-input.js";
import { judgeInput } from "../input/judge-input.js";
import { isOperatorName, operatorOf } from "../operators/operators.js";
import { lacksArguments, type ReadArguments, readArguments } from "../record/arguments.js";
import { ALLOW_GATE, denied, type Gate, type GateOptions, InvalidGateError, makeGate } from "./gate.js";
import { sortedTexts } from "./input-gates.js";
import { checkPath, valueAt } from "./path-gates.js";

/** Where the arguments of a call stand, in the tagged encoding: a list, or a mapping of names to arguments. */
const ARGUMENTS_PATH = "extensions.arguments";

export interface ArgumentOptions extends GateOptions {
  /** Whether a call by other parameter names is denied rather than passed. Default false. */
  readonly exact?: boolean;
}

/**
 * Allows when the argument at the path satisfies the operators, as an input rule of the policy language would: an absent
 * one passes everything but `required`, a list on the way means every item. No value is in the detail.
 *
 * @param operators by name, such as `{ type: "int", max: 1000 }`
 * @throws {InvalidGateError} for an unknown operator, none at all, or an operand of the wrong kind
 */
export function argument(
  path: string,
  operators: { readonly [name: string]: unknown },
  options: ArgumentOptions = {},
): Gate {
  checkPath(path);
  const { exact = false } = options;
  const uses = Object.entries(operators).map(([name, operand]) => checkUse(name, operand));
  const plan = compileInput([{ rule: { path, operators: uses, at: [] }, exact }]);
  if (plan === undefined) throw new InvalidGateError("`argument` must be given at least one operator");
  const described: { [name: string]: CanonicalValue } = Object.create(null);
  for (const { name, operand } of uses) described[name] = encodeTagged(operand);
  const parameters = { path, operators: described, ...(exact ? { exact } : {}) };
  return makeGate("argument", parameters, options, ({ inputs }, label) => {
    const read = readInputs(inputs);
    const obstacle = obstacleOf(read, plan);
    if (obstacle !== undefined) return denied(`gate.argument.${obstacle}:${path}`, { path }, label);
    const { names, args } = typeof read === "string" ? NOTHING : read;
    const verdict = judgeInput(plan, names, args);
    if (verdict.ok) return ALLOW_GATE;
    const broken = sortedTexts(
      "argument",
      verdict.violations.map(({ operator }) => operator),
    );
    return denied(`gate.argument.violated:${path}`, { path, operators: broken }, label);
  });
}

/** Allows when the arguments at these paths are there to be judged: neither unreadable nor recorded as a digest alone. */
export function argumentsKnown(paths: readonly string[], options: GateOptions = {}): Gate {
  const sorted = sortedTexts("argumentsKnown", paths);
  const plan = compileInput(
    sorted.map((path) => {
      checkPath(path);
      return { rule: { path, operators: [{ name: "required", operand: true }], at: [] }, exact: false };
    }),
  );
  return makeGate("arguments_known", { paths: sorted }, options, ({ inputs }, label) => {
    const obstacle = plan === undefined ? undefined : obstacleOf(readInputs(inputs), plan);
    return obstacle === undefined ? ALLOW_GATE : denied(`gate.arguments_known.${obstacle}`, null, label);
  });
}

const NOTHING: ReadArguments = { args: [], names: undefined };

function checkUse(name: string, operand: unknown): OperatorUse {
  if (!isOperatorName(name)) throw new InvalidGateError("`argument` was given an unknown operator");
  const check = operatorOf(name).checkOperand(operand);
  if (!check.ok) throw new InvalidGateError(`\`argument\`: ${check.message}`);
  return { name, operand: check.operand };
}

type Obstacle = "missing" | "unreadable" | "withheld";

function obstacleOf(read: ReadArguments | Obstacle, plan: InputPlan): Obstacle | undefined {
  if (typeof read === "string") return read;
  return lacksArguments(plan, read) ? "withheld" : undefined;
}

function readInputs(inputs: ContextInputs): ReadArguments | Obstacle {
  const encoded = valueAt(inputs, ARGUMENTS_PATH);
  if (encoded === undefined) return "missing";
  try {
    return readArguments(decodeTagged(encoded)) ?? "withheld";
  } catch {
    return "unreadable"; // not in the tagged encoding, or names that no guard can have had
  }
}
