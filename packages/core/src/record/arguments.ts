import { UnwrittenValue } from "../canonical/unwritten.js";
import { WithheldValue } from "../canonical/withheld.js";
import type { InputPlan } from "../input/compile-input.js";
import { type ParameterNames, parameterNames } from "../input/parameter-names.js";
import { isList, isMapping } from "../values/kind.js";

/** Key of what stands beyond the named parameters. No parameter can have it. */
const BEYOND = "";

/**
 * The arguments of a call as one value: the list of them, or, where the guard has names, the mapping of every name to its
 * argument (`undefined` where there is none), `...name` to the list that a rest parameter takes, and `""` to what is beyond.
 */
export function recordedArguments(names: ParameterNames | undefined, args: readonly unknown[]): unknown {
  if (names === undefined) return args;
  const mapping: { [name: string]: unknown } = Object.create(null);
  for (const [name, position] of names.positions) {
    if (name !== names.rest) mapping[name] = args[position];
  }
  const further = args.length > names.count ? args.slice(names.count) : [];
  if (names.rest !== undefined) mapping[`...${names.rest}`] = further;
  else if (further.length > 0) mapping[BEYOND] = further;
  return mapping;
}

/** Arguments read back from a record. */
export interface ReadArguments {
  readonly args: readonly unknown[];
  readonly names: ParameterNames | undefined;
}

/**
 * The arguments and names that `recordedArguments` made a value of. The order of the names is lost, which no rule can
 * tell. `undefined` for a value of another shape, such as a `WithheldValue`: the arguments are not there to be read.
 */
export function readArguments(value: unknown): ReadArguments | undefined {
  if (isList(value)) return { args: value, names: undefined };
  if (!isMapping(value)) return undefined;
  const rest = Object.keys(value).find((key) => key.startsWith("..."));
  const single = Object.keys(value).filter((key) => key !== BEYOND && key !== rest);
  const further = rest === undefined ? (Object.hasOwn(value, BEYOND) ? value[BEYOND] : []) : value[rest];
  if (!isList(further)) return undefined;
  const names = parameterNames(rest === undefined ? single : [...single, rest]);
  return { args: [...single.map((name) => value[name]), ...further], names };
}

/**
 * Whether judging the arguments needs a value that the record does not hold. Errs on the side of yes: it goes by the
 * arguments that the rules begin with.
 */
export function lacksArguments(plan: InputPlan, { args, names }: ReadArguments): boolean {
  const wanted = new Set(plan.rules.flatMap((rule) => (rule.keys[0] ?? []).map(({ key }) => key)));
  if (names === undefined) {
    const [argument] = args;
    if (args.length !== 1 || !isMapping(argument)) return args.some(isNotWritten);
    return Object.keys(argument).some((key) => wanted.has(key) && holdsUnwritten(argument[key]));
  }
  for (const [name, position] of names.positions) {
    if (!wanted.has(name)) continue;
    const values = name === names.rest ? args.slice(position) : [args[position]];
    if (values.some((value) => holdsUnwritten(value))) return true;
  }
  return false;
}

/** Whether a value read from a record stands for another, or has one inside that does. */
export function holdsUnwritten(value: unknown): boolean {
  if (isNotWritten(value)) return true;
  if (isList(value)) return value.some((item) => holdsUnwritten(item));
  return isMapping(value) && Object.values(value).some((item) => holdsUnwritten(item));
}

function isNotWritten(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return UnwrittenValue.kindOf(value) !== undefined || WithheldValue.digestOf(value) !== undefined;
}
