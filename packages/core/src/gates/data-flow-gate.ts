import { compareCodePoints } from "../canonical/code-point-order.js";
import { isText } from "../contract/policy-decision.js";
import { compileToolMatcher, type ToolMatcher } from "../document/tool-reference.js";
import { ALLOW_GATE, denied, type Gate, type GateOptions, InvalidGateError, makeGate } from "./gate.js";
import { inputOf } from "./input-gates.js";
import { textsAt, valueAt } from "./path-gates.js";
import { sortedPatterns } from "./tool-gate.js";

/** Tool patterns by label. */
export type ToolsByLabel = { readonly [label: string]: readonly string[] };

export interface DataFlow {
  /** Tools whose calls put the label among the facts. */
  readonly labels?: ToolsByLabel;
  /** Tools that may not be called once the label is a fact. */
  readonly blocks: ToolsByLabel;
}

const FACTS_PATH = "extensions.facts";
const HISTORY_PATH = "extensions.history";

/**
 * Allows when no label that blocks `capability` is among `extensions.facts`. Where there are no facts in the inputs, they
 * are those that the tools in `extensions.history` put there.
 */
export function dataFlow({ labels = {}, blocks }: DataFlow, options: GateOptions = {}): Gate {
  const [emitting, blocking] = [readTools(labels), readTools(blocks)];
  const emitters = matchersOf(emitting);
  const blockers = matchersOf(blocking);
  const parameters = { labels: plainOf(emitting), blocks: plainOf(blocking) };
  return makeGate("data_flow", parameters, options, ({ inputs }, label) => {
    const tool = inputOf(inputs, "capability");
    const blocking = [...blockers].filter(([, matcher]) => typeof tool !== "string" || matcher.matches(tool));
    if (blocking.length === 0) return ALLOW_GATE;
    const given = textsAt(inputs, FACTS_PATH);
    const history = valueAt(inputs, FACTS_PATH) === undefined ? textsAt(inputs, HISTORY_PATH) : undefined;
    if (typeof tool !== "string" || (given === undefined && history === undefined)) {
      return denied("gate.data_flow.missing", { path: FACTS_PATH }, label);
    }
    const isFact = (name: string): boolean =>
      given?.includes(name) ?? (history ?? []).some((call) => emitters.get(name)?.matches(call) === true);
    const fact = blocking.find(([name]) => isFact(name))?.[0];
    return fact === undefined ? ALLOW_GATE : denied("gate.data_flow.violation", { fact }, label);
  });
}

type PatternsByLabel = ReadonlyMap<string, readonly string[]>;

/** In the order of the labels' code points, so that the order in which they were written does not matter. */
function readTools(tools: ToolsByLabel): PatternsByLabel {
  const entries = Object.entries(tools).sort(([one], [other]) => compareCodePoints(one, other));
  if (!entries.every(([name]) => isText(name))) {
    throw new InvalidGateError("the labels of `dataFlow` must be well-formed strings");
  }
  return new Map(entries.map(([name, patterns]) => [name, sortedPatterns("dataFlow", patterns)]));
}

function matchersOf(tools: PatternsByLabel): ReadonlyMap<string, ToolMatcher> {
  return new Map([...tools].map(([name, patterns]) => [name, compileToolMatcher(patterns)]));
}

function plainOf(tools: PatternsByLabel): ToolsByLabel {
  const plain: { [label: string]: readonly string[] } = Object.create(null);
  for (const [name, patterns] of tools) plain[name] = patterns;
  return plain;
}
