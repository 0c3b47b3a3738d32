import { compareCodePoints, type Decision, type Layer, type PolicyDocument } from "d2-core";
import { argumentCandidates, argumentWords, type Candidate, hasUnmadeValue } from "./argument-proposals.js";
import type { ProposedChange, Step } from "./explanation.js";
import { historyCandidates, untouchedData } from "./history-proposals.js";
import { grantingRoles, missingGrant, permittingRoles, rolePairs } from "./role-proposals.js";
import { decide, type Situation } from "./situation.js";

/** Changes that are listed. */
const MAX_CHANGES = 12;
/** Changes that are not enough, from which the search goes on. */
const MAX_FRONTIER = 12;
/** Layers that can each need a change of their own, a role that forbids and one that grants counted apart. */
const MAX_LEVELS = 6;
/** Calls that are decided again, each in a session of as many calls as the history has. */
const MAX_DECIDED = 1_000;
const MAX_CALLS = 1_000_000;

const ORDER: readonly Layer[] = Object.freeze([
  "none",
  "policy_state",
  "context",
  "permission",
  "sequence",
  "data_flow",
  "input",
  "output",
]);

/** Changes made so far, and what the guard says after them. */
interface Attempt extends Candidate {
  readonly decision: Decision;
}

/**
 * The smallest changes that would allow a refused call. What objects first is mended first; where the call is then refused
 * by a later layer, the search goes on from there, and it stops at the first level at which anything is allowed. Each
 * change was decided again as a whole, step by step in its order, but for those said in words alone.
 */
export function proposedChanges(document: PolicyDocument, situation: Situation): ProposedChange[] {
  const { decision } = decide(situation);
  let frontier: Attempt[] = [{ steps: [], after: situation, decision }];
  const inWords: ProposedChange[] = [];
  let left = Math.max(60, Math.min(MAX_DECIDED, Math.floor(MAX_CALLS / (situation.history.length + 1))));
  for (let level = 0; level < MAX_LEVELS && frontier.length > 0; level++) {
    const allowed: ProposedChange[] = [];
    const next: Attempt[] = [];
    for (const attempt of frontier) {
      let progress = false;
      for (const candidate of candidatesFor(document, attempt)) {
        left -= 1;
        if (left < 0) break;
        const steps = [...attempt.steps, ...candidate.steps];
        const answer = decide(candidate.after).decision;
        if (answer.outcome === "allow") allowed.push({ steps, verified: true });
        else if (isFurther(attempt.decision, answer))
          next.push({ steps, after: candidate.after, decision: answer });
        else continue;
        progress = true;
      }
      if (!progress || lacksValue(attempt)) inWords.push(...wordsFor(attempt));
    }
    if (allowed.length > 0) return smallestFirst([...allowed, ...inWords.filter(() => level === 0)]);
    frontier = next.slice(0, MAX_FRONTIER);
  }
  return smallestFirst(inWords);
}

function candidatesFor(document: PolicyDocument, { after, decision }: Attempt): Candidate[] {
  switch (decision.layer) {
    case "permission": {
      const single = grantingRoles(document, after);
      return single.length > 0 ? single : rolePairs(after);
    }
    case "sequence": {
      const found = [...historyCandidates(document, after), ...permittingRoles(after)];
      return found.length > 0 ? found : rolePairs(after);
    }
    case "data_flow":
      return untouchedData(after);
    case "input":
      return argumentCandidates(after);
    case "policy_state":
    case "context":
    case "output":
    case "none":
      return [];
  }
}

/** What cannot be tried: changes of the policy, of the set-up, or values that nothing suggests. */
function wordsFor({ steps, after, decision }: Attempt): ProposedChange[] {
  const more = stepsInWords(after, decision);
  return more.length === 0 ? [] : [{ steps: [...steps, ...more], verified: false }];
}

function stepsInWords(situation: Situation, { layer, reason }: Decision): Step[] {
  switch (layer) {
    case "policy_state": {
      const expired = reason === "policy_expired";
      const words = expired ? "renew `metadata.expires` of the policy" : "set a policy up before the call";
      return [{ kind: "policy_state", words }];
    }
    case "context":
      return [{ kind: "user", words: "make the call for a user with a role" }];
    case "permission":
      return [missingGrant(situation)];
    case "input":
      return argumentWords(situation);
    case "sequence":
    case "data_flow":
    case "output":
    case "none":
      return [];
  }
}

/** Whether a call now comes further before it is refused; from "forbidden" to "not granted" counts. */
function isFurther(before: Decision, after: Decision): boolean {
  if (before.layer === after.layer) {
    return before.layer === "permission" && before.rule !== undefined && after.rule === undefined;
  }
  return ORDER.indexOf(after.layer) > ORDER.indexOf(before.layer);
}

/** Whether a value is asked for that nothing suggests. */
function lacksValue({ after, decision }: Attempt): boolean {
  return decision.layer === "input" && hasUnmadeValue(after);
}

/** How much a step changes: roles, calls or labels; everything else is one. */
function sizeOf(step: Step): number {
  switch (step.kind) {
    case "role":
    case "role_without":
      return step.roles.length;
    case "history_without":
      return step.calls.length;
    case "facts_without":
      return step.labels.length;
    case "policy_state":
    case "user":
    case "grant":
    case "argument":
    case "argument_left_out":
    case "arguments":
    case "call_before":
      return 1;
  }
}

/** What was tried first, then by size, by kinds, and by code point; each once. */
function smallestFirst(changes: readonly ProposedChange[]): ProposedChange[] {
  const rows = changes.map((change) => ({
    change,
    size: change.steps.reduce((sum, step) => sum + sizeOf(step), 0),
    kinds: change.steps.map(({ kind }) => kind).join(),
    text: JSON.stringify(change.steps),
  }));
  const distinct = [...new Map(rows.map((row) => [row.text, row])).values()];
  distinct.sort(
    (a, b) =>
      Number(b.change.verified) - Number(a.change.verified) ||
      a.size - b.size ||
      compareCodePoints(a.kinds, b.kinds) ||
      compareCodePoints(a.text, b.text),
  );
  return distinct.slice(0, MAX_CHANGES).map(({ change }) => change);
}
