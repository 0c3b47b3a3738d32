import {
  compilePlan,
  type Decision,
  formatDocumentPath,
  type Plan,
  type PolicyDocument,
  type SequenceProgram,
  type ToolMatcher,
} from "d2-core";
import { referenceMatcher, toolUniverse, type UniverseTool } from "../reach/tool-universe.js";
import { Walk } from "../reach/walk.js";
import type { AnalyzeOptions, Closing, Unfinished } from "./analysis.js";
import { type Alphabet, alphabetOf } from "./letters.js";
import { SampleCalls } from "./sample-calls.js";
import { type Outcome, type Problem, search, walkOf } from "./search.js";
import { type Aim, type Slice, sliceOf } from "./slice.js";

/** States that an analysis looks at when nothing else is said. */
export const DEFAULT_MAX_STATES = 200_000;
/** Calls tried for each state that may be looked at: what takes time is a call that leads to a state of its own. */
const MOVES_A_STATE = 0.5;

/** The rest of the calls with which no search is begun any more. */
const SPENT = 0.01;

/** A set of roles, with what the policy says to a user who holds them. */
export interface Subject {
  readonly roles: readonly string[];
  /** The same, of roles that stand in exactly the same entries. */
  readonly alike: readonly (readonly string[])[];
  readonly walk: Walk;
  readonly program: SequenceProgram | undefined;
  readonly allowListed: boolean;
  readonly alphabet: Alphabet;
}

/** What all parts of one analysis share. */
export class Study {
  readonly plan: Plan;
  readonly document: PolicyDocument;
  readonly options: AnalyzeOptions;
  readonly universe: readonly UniverseTool[];
  readonly matcher: (reference: string) => ToolMatcher;
  readonly samples: SampleCalls;
  /** Tools of the universe that some role is granted. */
  readonly granted: ReadonlySet<string>;
  readonly unfinished: Unfinished[] = [];
  readonly #toolsOf = new Map<string, readonly string[]>();
  readonly #maxStates: number;
  readonly #budget: { states: number; moves: number };
  readonly #sequenceWords: ReadonlyMap<string, string>;

  constructor(document: PolicyDocument, options: AnalyzeOptions, extra: readonly string[]) {
    this.document = document;
    this.options = options;
    this.plan = compilePlan(document);
    this.universe = toolUniverse([document], extra);
    this.matcher = referenceMatcher(document);
    this.samples = new SampleCalls(document, this.plan);
    this.granted = new Set(
      document.policies.flatMap(({ permissions }) =>
        permissions.flatMap(({ tool, allow }) => (allow ? this.toolsOf(tool) : [])),
      ),
    );
    this.#maxStates = options.maxStates ?? DEFAULT_MAX_STATES;
    this.#budget = { states: this.#maxStates, moves: this.#maxStates * MOVES_A_STATE };
    this.#sequenceWords = sequenceWords(document);
  }

  /** States looked at so far. */
  get states(): number {
    return this.#maxStates - this.#budget.states;
  }

  /** The tools of the universe that a reference names. */
  toolsOf(reference: string): readonly string[] {
    const known = this.#toolsOf.get(reference);
    if (known !== undefined) return known;
    const matcher = this.matcher(reference);
    const tools = this.universe.flatMap(({ tool }) => (matcher.matches(tool) ? [tool] : []));
    this.#toolsOf.set(reference, tools);
    return tools;
  }

  /** The given roles as one user's, or each role of the policy by itself, those that nothing tells apart together. */
  subjects(roles: readonly string[] | undefined, mark?: (tool: string) => number): Subject[] {
    if (roles !== undefined) return [this.#subject([...new Set(roles)], [], mark)];
    const alike = new Map<string, string[]>();
    for (const role of this.plan.roleNames) {
      const places = this.document.policies.flatMap((entry, index) =>
        entry.roles.includes(role) ? [index] : [],
      );
      const group = alike.get(places.join());
      if (group === undefined) alike.set(places.join(), [role]);
      else group.push(role);
    }
    return [...alike.values()].flatMap(([role, ...others]) =>
      role === undefined
        ? []
        : [
            this.#subject(
              [role],
              others.map((it) => [it]),
              mark,
            ),
          ],
    );
  }

  #subject(
    roles: readonly string[],
    others: readonly (readonly string[])[],
    mark: ((tool: string) => number) | undefined,
  ): Subject {
    const walk = new Walk(this.plan, roles);
    const program = walk.view.space?.program;
    const allowListed = program?.roles.some((role) => role.allowListed) ?? false;
    const alphabet = alphabetOf(walk, this.universe, mark);
    return { roles, alike: [roles, ...others], walk, program, allowListed, alphabet };
  }

  /** One search over the part of the automaton that matters for it. */
  search(
    subject: Subject,
    aim: Aim,
    problem: (walk: Walk, slice: Slice) => Omit<Problem, "walk" | "slice" | "budget" | "share">,
    share = 1,
  ): Outcome & { readonly letters: number } {
    const { moves } = this.#budget;
    if (moves < this.#maxStates * MOVES_A_STATE * SPENT)
      return { kind: "stopped", why: "states", calls: 0, states: 0, letters: 0 };
    const slice = sliceOf(subject.program, subject.alphabet.letters, aim);
    const walk = walkOf(slice, this.plan, subject.roles);
    const budget = this.#budget;
    return {
      ...search({ ...problem(walk, slice), walk, slice, budget, share }),
      letters: slice.letters.length,
    };
  }

  /** Writes down that a search of the findings was stopped. */
  stopped(what: string, subject: Subject, outcome: Outcome & { kind: "stopped" }, rule?: string): void {
    const { states, why } = outcome;
    const roles = subject.alike.flat();
    this.unfinished.push({ what, ...(rule === undefined ? {} : { rule }), roles, states, why });
  }

  /** A denial as something that stands in the way. */
  closing({ layer, rule, detail }: Decision): Closing {
    const place = rule === undefined ? {} : this.placed(rule);
    switch (layer) {
      case "sequence":
        return { layer, ...place, words: this.#sequenceWords.get(rule ?? "") ?? "a sequence rule" };
      case "data_flow":
        return {
          layer,
          ...place,
          words: `data labelled \`${detail ?? ""}\` has been touched, and that blocks it`,
        };
      case "permission":
        return { layer, ...place, words: rule === undefined ? "not granted" : "forbidden by `allow: false`" };
      case "policy_state":
      case "context":
      case "input":
      case "output":
      case "none":
        return { layer, ...place, words: layer };
    }
  }

  /** A rule, with its place in the text where that is known. */
  placed(rule: string): { readonly rule: string; readonly line?: number; readonly column?: number } {
    const at = this.options.locate?.(rule);
    return at === undefined ? { rule } : { rule, line: at.line, column: at.column };
  }
}

/** Each sequence rule, and each allow list, in words. */
function sequenceWords(document: PolicyDocument): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const { sequence, roles } of document.policies) {
    if (sequence === undefined) continue;
    const whose = roles.map((role) => `\`${role}\``).join(", ");
    words.set(formatDocumentPath(sequence.at), `no allow pattern of ${whose} permits it`);
    for (const { kind, steps, reason, at } of sequence.rules) {
      const why = reason === undefined ? "" : `: ${reason}`;
      const line = steps.map((step) => `\`${step}\``).join(" then ");
      words.set(formatDocumentPath(at), `${kind === "deny" ? "denied" : "allowed"}: ${line}${why}`);
    }
  }
  return words;
}
