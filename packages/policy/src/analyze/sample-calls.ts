import {
  checkDocument,
  compilePlan,
  decideRelease,
  type FieldRule,
  type InputPlan,
  judgeInput,
  type OutputPlan,
  type Plan,
  type PolicyDocument,
  type RoleView,
} from "d2-core";
import { argumentCandidates } from "../explain/argument-proposals.js";
import { referenceMatcher } from "../reach/tool-universe.js";

type Arguments = Readonly<Record<string, unknown>>;

/** Tried before anything is made up. */
const PLAIN_VALUES: readonly unknown[] = Object.freeze([null, {}, "", "ok", 0, 1, true, false, []]);

/** Where the synthetic policy keeps what is said of the value as a whole. */
const WHOLE = "$";

/** Makes arguments that satisfy a tool's input rules, and values that its output rules let out. */
export class SampleCalls {
  readonly #document: PolicyDocument;
  readonly #plan: Plan;
  readonly #matcher: ReturnType<typeof referenceMatcher>;
  readonly #arguments = new Map<InputPlan, Arguments | undefined>();
  readonly #values = new Map<OutputPlan, { readonly value: unknown } | undefined>();

  constructor(document: PolicyDocument, plan: Plan) {
    this.#document = document;
    this.#plan = plan;
    this.#matcher = referenceMatcher(document);
  }

  /** One object with named arguments; nothing when none could be made. */
  argumentsFor(view: RoleView, tool: string): Arguments | undefined {
    const { input } = view.entry(tool);
    if (input === undefined) return {};
    if (!this.#arguments.has(input))
      this.#arguments.set(input, argumentsOf(this.#plan, view.roles, tool, input));
    return this.#arguments.get(input);
  }

  /** What the tool may return so that it is released; nothing when no such value could be made. */
  valueFor(view: RoleView, tool: string): { readonly value: unknown } | undefined {
    const { output } = view.entry(tool);
    if (output === undefined) return { value: null };
    if (!this.#values.has(output)) this.#values.set(output, this.#valueOf(view, tool, output));
    return this.#values.get(output);
  }

  #valueOf(view: RoleView, tool: string, output: OutputPlan): { readonly value: unknown } | undefined {
    for (const value of [...PLAIN_VALUES, ...this.#composed(view, tool)]) {
      if (isReleased(output, value)) return { value };
    }
    return undefined;
  }

  /** Values that satisfy the rules without action: made like arguments, of rules that say the same. */
  #composed(view: RoleView, tool: string): unknown[] {
    const rules = this.#document.policies
      .filter(({ roles }) => roles.some((role) => view.roles.includes(role)))
      .flatMap(({ permissions }) => permissions)
      .filter((permission) => permission.allow && this.#matcher(permission.tool).matches(tool))
      .flatMap(({ output }) => output.filter(({ action }) => action === undefined));
    const fields = madeOf(rules.filter(({ path }) => path !== WHOLE));
    const whole = madeOf(
      rules.filter(({ path }) => path === WHOLE).map((rule) => ({ ...rule, path: "value" })),
    );
    return [
      ...(fields === undefined ? [] : [fields, [fields]]),
      ...(whole !== undefined && Object.hasOwn(whole, "value") ? [whole["value"]] : []),
    ];
  }
}

/** Arguments for rules that are written for a tool of their own. */
function madeOf(rules: readonly FieldRule[]): Arguments | undefined {
  const permissions = rules.map(({ path, operators }) => {
    const uses = Object.fromEntries(operators.map(({ name, operand }) => [name, operand]));
    return { tool: "made.up", conditions: { input: Object.fromEntries([[path, uses]]) } };
  });
  const { document } = checkDocument({ policies: [{ role: "maker", permissions }] });
  if (document === undefined) return undefined; // what is no input rule cannot be made this way
  const plan = compilePlan(document);
  const { input } = plan.view(["maker"]).entry("made.up");
  return input === undefined ? {} : argumentsOf(plan, ["maker"], "made.up", input);
}

function argumentsOf(
  plan: Plan,
  roles: readonly string[],
  tool: string,
  input: InputPlan,
): Arguments | undefined {
  const situation = {
    plan,
    state: "current",
    tool,
    roles,
    args: [{}],
    names: undefined,
    history: [],
    facts: [],
  } as const;
  for (const { args } of [situation, ...argumentCandidates(situation).map(({ after }) => after)]) {
    const [first = {}] = args;
    if (isMapping(first) && accepts(input, first)) return plain(first);
  }
  return undefined;
}

function accepts(input: InputPlan, args: Arguments): boolean {
  try {
    return judgeInput(input, undefined, [args]).ok;
  } catch {
    return false; // what cannot be judged is refused
  }
}

function isReleased(output: OutputPlan, value: unknown): boolean {
  try {
    return decideRelease(output, value).decision.outcome === "allow";
  } catch {
    return false; // what cannot be judged is refused
  }
}

/** With the prototype of an ordinary object all the way down, as a program would pass it. */
function plain(value: Arguments): Arguments {
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, plainInside(inside)]));
}

function plainInside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainInside);
  return isMapping(value) ? plain(value) : value;
}

function isMapping(value: unknown): value is Arguments {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
