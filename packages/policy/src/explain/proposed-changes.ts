import { compareCodePoints, judgeInput, type PolicyDocument } from "d2-core";
import { argumentCandidates, type Candidate, withArgument } from "./argument-proposals.js";
import type { LayerVerdict, ProposedChange, Step } from "./explanation.js";
import { entryOf, isAllowed, type Situation, sequenceDenial, sessionOf } from "./situation.js";

/** Changes that are listed. */
const MAX_CHANGES = 8;
/** Candidates of a layer that are joined with those of the others. */
const MAX_CANDIDATES = 6;
/** Combinations that are decided again. */
const MAX_TRIED = 200;
/** Calls of a history that are tried in pairs and threes. */
const MAX_HISTORY = 24;

/** The smallest changes that would allow a refused call: a candidate for each layer that objects, together decided again. */
export function proposedChanges(
  document: PolicyDocument,
  situation: Situation,
  layers: readonly LayerVerdict[],
): ProposedChange[] {
  const [outside] = outsideCandidates(situation);
  if (outside !== undefined) return [{ steps: [outside], verified: false }];
  const objecting = layers.filter(({ layer, would }) => would === "deny" && layer !== "output");
  const candidates = objecting.map(({ layer }) => candidatesOf(layer, document, situation));
  const changes: ProposedChange[] = [];
  let tried = 0;
  for (const combination of combinations(candidates)) {
    tried += 1;
    if (tried > MAX_TRIED || changes.length >= MAX_CHANGES * 4) break;
    const change = tryOut(combination, situation);
    if (change !== undefined) changes.push(change);
  }
  return smallestFirst(changes).slice(0, MAX_CHANGES);
}

/** What only the set-up can change. */
function outsideCandidates({ state, roles }: Situation): Step[] {
  if (state === "expired") return [{ kind: "policy_state", words: "renew `metadata.expires` of the policy" }];
  if (state === "unavailable") return [{ kind: "policy_state", words: "set a policy up before the call" }];
  return roles === undefined ? [{ kind: "user", words: "make the call for a user with a role" }] : [];
}

function candidatesOf(
  layer: LayerVerdict["layer"],
  document: PolicyDocument,
  situation: Situation,
): Candidate[][] {
  switch (layer) {
    case "permission":
      return roleCandidates(situation);
    case "sequence":
      return sequenceCandidates(document, situation);
    case "data_flow":
      return factCandidates(situation);
    case "input":
      return inputCandidates(situation);
    case "policy_state":
    case "context":
    case "output":
      return [];
  }
}

function roleCandidates(situation: Situation): Candidate[][] {
  const { plan, roles = [], tool } = situation;
  const others = plan.roleNames.filter((role) => !roles.includes(role)).sort(compareCodePoints);
  const withRoles = (more: readonly string[]): Situation => ({ ...situation, roles: [...roles, ...more] });
  const grants = (more: readonly string[]): boolean => entryOf(withRoles(more))?.denial === undefined;
  const single = others.filter((role) => grants([role])).map((role) => [role]);
  const found = single.length > 0 ? single : pairsOf(others).filter(grants);
  const candidates = found.slice(0, MAX_CANDIDATES).map((more) => {
    const words = `give the user ${more.map((role) => `the role \`${role}\``).join(" and ")}`;
    return [{ step: { kind: "role", roles: more, words } as const, after: withRoles(more) }];
  });
  if (candidates.length > 0) return candidates;
  const [role] = roles;
  const words =
    role === undefined
      ? `grant \`${tool}\` to a role, and give it to the user`
      : `grant \`${tool}\` to the role \`${role}\`, and let no role of the user forbid it`;
  return [[{ step: { kind: "grant", role: role ?? "", tool, words }, after: undefined }]];
}

function pairsOf(items: readonly string[]): string[][] {
  const few = items.slice(0, MAX_HISTORY);
  return few.flatMap((first, at) => few.slice(at + 1).map((second) => [first, second]));
}

function sequenceCandidates(document: PolicyDocument, situation: Situation): Candidate[][] {
  const { history } = situation;
  const without = (calls: readonly number[]): Situation => ({
    ...situation,
    history: history.filter((_, at) => !calls.includes(at)),
  });
  const fits = (calls: readonly number[]): boolean => sequenceDenial(without(calls)) === undefined;
  const places = [...history.keys()].slice(-MAX_HISTORY);
  const sets = [
    places.map((at) => [at]),
    places.flatMap((a, n) => places.slice(n + 1).map((b) => [a, b])),
    [[...history.keys()]],
  ];
  const smallest = sets.map((of) => of.filter(fits)).find((of) => of.length > 0) ?? [];
  const left = smallest.slice(0, MAX_CANDIDATES / 2).map((calls) => {
    const names = calls.map((at) => `\`${history[at]}\` (call ${at + 1})`).join(", ");
    const step = {
      kind: "history_without",
      calls,
      words: `make the call in a session without ${names}`,
    } as const;
    return [{ step, after: without(calls) }];
  });
  const before = stepTools(document)
    .map((tool) => ({ tool, after: { ...situation, history: [...history, tool] } }))
    .filter(({ after }) => sequenceDenial(after) === undefined)
    .slice(0, MAX_CANDIDATES / 2)
    .map(({ tool, after }) => {
      const words = `call \`${tool}\` first, and let it end`;
      return [{ step: { kind: "call_before", tool, words } as const, after }];
    });
  return [...left, ...before];
}

/** Tools that allow rules name by their exact id. */
function stepTools(document: PolicyDocument): string[] {
  const groups = new Map(document.toolGroups.map(({ name, tools }) => [`@${name}`, tools]));
  const steps = document.policies.flatMap(({ sequence }) =>
    (sequence?.rules ?? []).filter(({ kind }) => kind === "allow").flatMap((rule) => rule.steps),
  );
  const tools = steps.flatMap((step) => groups.get(step) ?? [step]);
  return [...new Set(tools.filter((tool) => !tool.includes("*")))].sort(compareCodePoints);
}

function factCandidates(situation: Situation): Candidate[][] {
  const { plan, history, facts } = situation;
  const present = sessionOf(situation).facts;
  const labels = (entryOf(situation)?.blocks ?? [])
    .map(({ label }) => label)
    .filter((label) => present.has(label));
  const blocking = [...new Set(labels)].sort(compareCodePoints);
  const after = {
    ...situation,
    facts: facts.filter((fact) => !blocking.includes(fact)),
    history: history.filter((tool) => !plan.labelsOf(tool).some((label) => blocking.includes(label))),
  };
  const words = `make the call in a session that has not touched data labelled ${blocking.map((it) => `\`${it}\``).join(", ")}`;
  return [[{ step: { kind: "facts_without", labels: blocking, words }, after }]];
}

function inputCandidates(situation: Situation): Candidate[][] {
  const plan = entryOf(situation)?.input;
  const verdict = plan === undefined ? undefined : judgeInput(plan, situation.names, situation.args);
  const unnamed = verdict?.ok === false && verdict.detail !== undefined;
  const broken = unnamed ? [] : argumentCandidates(plan?.rules ?? [], situation);
  if (broken.length > 0) return [broken];
  const words = "pass one plain object whose keys name the arguments, or give the guard `params`";
  return [[{ step: { kind: "arguments", words }, after: undefined }]];
}

/** One candidate of every layer, in all ways, the first ones first. */
function* combinations(layers: readonly Candidate[][][]): Generator<Candidate[]> {
  const [first, ...rest] = layers;
  if (first === undefined) return yield [];
  for (const candidate of first.slice(0, MAX_CANDIDATES)) {
    for (const others of combinations(rest)) yield [...candidate, ...others];
  }
}

/** Puts candidates together and decides again. `undefined`: the call would still be refused. */
function tryOut(candidates: readonly Candidate[], situation: Situation): ProposedChange | undefined {
  const steps = candidates.map(({ step }) => step);
  if (candidates.some(({ after }) => after === undefined)) return { steps, verified: false };
  let joined = situation;
  for (const { after, step } of candidates) {
    if (after !== undefined) joined = join(joined, step, after, situation);
  }
  return isAllowed(joined) ? { steps, verified: true } : undefined;
}

/** Takes over what one candidate changes. */
function join(joined: Situation, step: Step, after: Situation, before: Situation): Situation {
  if (step.kind !== "argument") {
    const { args: _, ...rest } = after;
    const kept =
      step.kind === "role"
        ? { roles: after.roles }
        : { history: historyOf(joined, rest, before), facts: after.facts };
    return { ...joined, ...kept };
  }
  return withValue(joined, step);
}

function historyOf(
  joined: Situation,
  after: Pick<Situation, "history">,
  before: Situation,
): readonly string[] {
  if (joined.history === before.history) return after.history;
  // Two layers want another history: what both leave in stays, and what either adds is added.
  const added = [...joined.history, ...after.history].filter((tool) => !before.history.includes(tool));
  return [...joined.history.filter((tool) => after.history.includes(tool)), ...new Set(added)];
}

function withValue(joined: Situation, step: Step & { readonly kind: "argument" }): Situation {
  return withArgument(joined, step.path, step.value) ?? joined;
}

function smallestFirst(changes: readonly ProposedChange[]): ProposedChange[] {
  const texts = new Map(changes.map((change) => [JSON.stringify(change.steps), change]));
  const distinct = [...texts.entries()];
  distinct.sort(
    ([leftText, left], [rightText, right]) =>
      Number(right.verified) - Number(left.verified) ||
      left.steps.length - right.steps.length ||
      compareCodePoints(leftText, rightText),
  );
  return distinct.map(([, change]) => change);
}
