import { compareCodePoints, compileToolMatcher, type PolicyDocument } from "d2-core";
import type { Candidate } from "./argument-proposals.js";
import type { Step } from "./explanation.js";
import { entryOf, mayBegin, type Situation, sequenceDenial, sessionOf } from "./situation.js";

/** Calls that are looked at over all the histories tried, so that a long history costs no more than many short ones. */
const MAX_CALLS = 600_000;
/** Calls of a history that are tried in twos and threes, and before which one is put in. */
const MAX_TOGETHER = 16;
/** Calls of a history that are tried one by one. */
const MAX_ALONE = 200;
/** Ways of one kind that are listed. */
const MAX_WAYS = 4;

/** How many more histories may be tried. */
interface Budget {
  left: number;
}

/** Smallest sets of earlier calls without which the sequence rules let the call pass, and calls to make before it. */
export function historyCandidates(document: PolicyDocument, situation: Situation): Candidate[] {
  const budget = { left: Math.max(40, Math.floor(MAX_CALLS / (situation.history.length + 1))) };
  return [...leavingOut(situation, budget), ...callsBefore(document, situation, budget)];
}

/** A session that has not touched the data whose labels block the call. */
export function untouchedData(situation: Situation): Candidate[] {
  const { plan, history, facts } = situation;
  const present = sessionOf(situation).facts;
  const blocks = entryOf(situation)?.blocks ?? [];
  const labels = [...new Set(blocks.map(({ label }) => label).filter((label) => present.has(label)))];
  labels.sort(compareCodePoints);
  const words = `make the call in a session that has not touched data labelled ${labels.map((it) => `\`${it}\``).join(", ")}`;
  const after = {
    ...situation,
    facts: facts.filter((fact) => !labels.includes(fact)),
    history: history.filter((tool) => !plan.labelsOf(tool).some((label) => labels.includes(label))),
  };
  return [{ steps: [{ kind: "facts_without", labels, words }], after }];
}

function leavingOut(situation: Situation, budget: Budget): Candidate[] {
  const { history } = situation;
  const without = (calls: readonly number[]): Situation => {
    const out = new Set(calls);
    return { ...situation, history: history.filter((_, at) => !out.has(at)) };
  };
  const fits = (calls: readonly number[]): boolean => {
    budget.left -= 1;
    return budget.left > 0 && sequenceDenial(without(calls)) === undefined;
  };
  const found = smallestSets(involved(situation), fits);
  return found.slice(0, MAX_WAYS).map((calls) => {
    const names = calls.map((at) => `\`${history[at]}\` (call ${at + 1})`).join(", ");
    const words = `make the call in a session without ${names}`;
    return { steps: [{ kind: "history_without", calls, words }], after: without(calls) };
  });
}

/** Up to three by trial; more by taking all that play a part and putting back what need not go. */
function smallestSets(calls: readonly number[], fits: (calls: readonly number[]) => boolean): number[][] {
  const single = calls.length > MAX_ALONE ? [] : calls.map((at) => [at]).filter(fits);
  if (single.length > 0) return single;
  const few = calls.length <= MAX_TOGETHER ? calls : [];
  const pairs = few.flatMap((a, n) => few.slice(n + 1).map((b) => [a, b])).filter(fits);
  if (pairs.length > 0) return pairs;
  const triples = few.flatMap((a, n) =>
    few.slice(n + 1).flatMap((b, m) => few.slice(n + m + 2).map((c) => [a, b, c])),
  );
  const three = triples.filter(fits);
  if (three.length > 0) return three;
  if (calls.length === 0 || !fits(calls)) return [];
  return [pruned(calls, fits)];
}

/** Puts back halves, quarters, ... down to single calls, as long as what is left still fits. */
function pruned(calls: readonly number[], fits: (calls: readonly number[]) => boolean): number[] {
  let kept = [...calls];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length; ) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (fewer.length > 0 && fits(fewer)) kept = fewer;
      else from += size;
    }
  }
  return kept;
}

/**
 * The earlier calls that are a step of some occurrence of a deny pattern that ends at this tool; all of them where a list
 * of what is allowed may want the history to begin in its own way.
 */
function involved(situation: Situation): number[] {
  const entry = entryOf(situation);
  if (entry?.space === undefined) return [];
  const { program } = entry.space;
  if (program.roles.some(({ allowListed }) => allowListed)) return [...situation.history.keys()];
  const classes = situation.history.map((tool) => program.classOf(tool));
  const found = new Set<number>();
  for (const { steps } of program.roles.flatMap((role) => role.deny)) {
    const last = steps.at(-1);
    if (last === undefined || !program.matches(entry.toolClass, last)) continue;
    const before = steps.slice(0, -1);
    const is = (at: number, step: number) => program.matches(classes[at] ?? -1, step);
    const firsts = places(before, classes.length, is);
    const mirrored = (at: number, step: number) => is(classes.length - 1 - at, step);
    const lasts = places([...before].reverse(), classes.length, mirrored);
    if (firsts === undefined || lasts === undefined) continue;
    for (const [index, step] of before.entries()) {
      const from = index === 0 ? 0 : (firsts[index - 1] ?? 0) + 1;
      const after = lasts[before.length - 2 - index];
      const to = after === undefined ? classes.length : classes.length - 1 - after;
      for (let at = from; at < to; at++) if (is(at, step)) found.add(at);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** The earliest places at which steps follow one another. */
function places(
  steps: readonly number[],
  length: number,
  is: (at: number, step: number) => boolean,
): number[] | undefined {
  const found: number[] = [];
  let at = 0;
  for (const step of steps) {
    while (at < length && !is(at, step)) at++;
    if (at >= length) return undefined;
    found.push(at);
    at++;
  }
  return found;
}

/** Calls that an allow pattern of the user's roles asks for: one more at the end, else one put in, else several. */
function callsBefore(document: PolicyDocument, situation: Situation, budget: Budget): Candidate[] {
  const patterns = allowPatterns(document, situation);
  const tools = [...new Set(patterns.flat(2))].sort(compareCodePoints);
  const { length } = situation.history;
  const places = [...Array(Math.min(length, MAX_TOGETHER)).keys()].map((back) => length - 1 - back);
  const chains = patterns.flatMap((steps) =>
    steps.map((_, from) => steps.slice(from).map((it) => it[0] ?? "")),
  );
  const ways: (() => Candidate | undefined)[][] = [
    tools.map((tool) => () => withCall(situation, tool, length)),
    places.flatMap((at) => tools.map((tool) => () => withCall(situation, tool, at))),
    chains
      .filter((chain) => chain.length > 1 && chain.every((tool) => tool !== ""))
      .sort((a, b) => a.length - b.length)
      .map((chain) => () => withCalls(situation, chain)),
  ];
  for (const level of ways) {
    const found: Candidate[] = [];
    for (const way of level) {
      budget.left -= 2;
      if (budget.left <= 0 || found.length >= MAX_WAYS) break;
      const candidate = way();
      if (candidate !== undefined && sequenceDenial(candidate.after) === undefined) found.push(candidate);
    }
    if (found.length > 0) return found;
  }
  return [];
}

/** The steps before the last one of the allow patterns that end at this tool, each as the tools that it names. */
function allowPatterns(document: PolicyDocument, { roles = [], tool, plan }: Situation): string[][][] {
  const groups = new Map(document.toolGroups.map(({ name, tools }) => [`@${name}`, tools]));
  const toolsOf = (step: string) => groups.get(step) ?? [step];
  const view = plan.view(roles);
  const callable = (step: string) =>
    toolsOf(step)
      .filter((it) => !it.includes("*") && view.entry(it).denial === undefined)
      .sort(compareCodePoints);
  return document.policies
    .filter((entry) => entry.roles.some((role) => roles.includes(role)))
    .flatMap((entry) => entry.sequence?.rules ?? [])
    .filter(
      ({ kind, steps }) => kind === "allow" && compileToolMatcher(toolsOf(steps.at(-1) ?? "")).matches(tool),
    )
    .map(({ steps }) => steps.slice(0, -1).map(callable));
}

function withCalls(situation: Situation, chain: readonly string[]): Candidate | undefined {
  let candidate: Candidate = { steps: [], after: situation };
  for (const tool of chain) {
    const next = withCall(candidate.after, tool, candidate.after.history.length);
    if (next === undefined) return undefined;
    candidate = { steps: [...candidate.steps, ...next.steps], after: next.after };
  }
  return candidate;
}

/** One more call in the history, if the user may make it there. */
function withCall(situation: Situation, tool: string, at: number): Candidate | undefined {
  const { history } = situation;
  if (!mayBegin({ ...situation, tool, history: history.slice(0, at) })) return undefined;
  const where = at === history.length ? "first" : `before call ${at + 1}`;
  const step: Step = { kind: "call_before", tool, at, words: `call \`${tool}\` ${where}, and let it end` };
  return {
    steps: [step],
    after: { ...situation, history: [...history.slice(0, at), tool, ...history.slice(at)] },
  };
}
