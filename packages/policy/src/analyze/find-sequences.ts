import { formatDocumentPath, type SequenceProgram, SequenceSpace } from "d2-core";
import type { Finding } from "./analysis.js";
import type { DenyPlace } from "./deny-place.js";
import { FINDING_SHARE } from "./find-blocks.js";
import type { Slice } from "./slice.js";
import type { Study, Subject } from "./study.js";

type Rule = NonNullable<Study["document"]["policies"][number]["sequence"]>["rules"][number];

/** What became of one rule for one set of roles. */
type Verdict = "works" | "redundant" | "dead" | "unknown";

/** Sequence rules that do nothing for any of those who have them. */
export function findSequences(
  study: Study,
  subjects: readonly Subject[],
  scope: Finding["scope"],
): Finding[] {
  return study.document.policies.flatMap(({ sequence }) =>
    (sequence?.rules ?? []).flatMap((rule) => {
      const at = formatDocumentPath(rule.at);
      return rule.kind === "deny"
        ? deadDeny(study, subjects, scope, rule, at)
        : deadAllow(study, subjects, scope, rule, at);
    }),
  );
}

/** Those who have a rule, with where it stands in their program. */
function holders(
  subjects: readonly Subject[],
  kind: Rule["kind"],
  at: string,
): { subject: Subject; role: number; index: number }[] {
  return subjects.flatMap((subject) =>
    (subject.program?.roles ?? []).flatMap((role, place) => {
      const index = role[kind].findIndex(({ rule }) => rule === at);
      return index < 0 ? [] : [{ subject, role: place, index }];
    }),
  );
}

function rolesOf(found: readonly { readonly subject: Subject }[]): string[] {
  return [...new Set(found.flatMap(({ subject }) => subject.alike.flat()))];
}

function deadDeny(
  study: Study,
  subjects: readonly Subject[],
  scope: Finding["scope"],
  rule: Rule,
  at: string,
): Finding[] {
  const held = holders(subjects, "deny", at);
  if (held.length === 0) return [];
  const lacking = lackingStep(study, rule);
  const base = { certain: true, roles: rolesOf(held), ...study.placed(at) } as const;
  const named = rule.steps.map((step) => `\`${step}\``).join(" then ");
  if (lacking !== undefined) {
    const words = `the deny pattern ${named} never fires: no role is granted a tool of \`${lacking}\``;
    return [{ kind: "dead_deny", ...base, scope: "any user", words }];
  }
  const verdicts = new Set<Verdict>();
  for (const { subject, role, index } of held) {
    verdicts.add(denyDoes(study, subject, { role, deny: index }, at));
    if (verdicts.has("works") || verdicts.has("unknown")) return [];
  }
  if (!verdicts.has("redundant")) {
    const words = `the deny pattern ${named} never fires: the calls it needs are refused before`;
    return [{ kind: "dead_deny", ...base, scope, words }];
  }
  const words = `the deny pattern ${named} decides nothing: whatever it denies, another rule denies as well`;
  return [{ kind: "redundant_deny", ...base, scope, words }];
}

function denyDoes(study: Study, subject: Subject, place: DenyPlace, at: string): Verdict {
  if (lacksLetter(subject, place)) return "dead";
  let verdict: Verdict = "redundant";
  for (const only of [false, true]) {
    const outcome = study.search(
      subject,
      { wanted: () => false, deny: place },
      (walk, slice) => {
        const other = only ? patternAlone(slice) : withoutPattern(slice);
        return {
          pursuit: { deny: slice.deny, program: slice.space?.program },
          goal: ({ state }, { tool, toolClass }, denial) => {
            if (denial === undefined || other === undefined || state.node === undefined) return false;
            const denies = other.denial(other.intern(state.node.state.roles), toolClass) !== undefined;
            return only ? denies : !denies && walk.flowDenial(state, tool) === undefined;
          },
        };
      },
      FINDING_SHARE,
    );
    if (outcome.kind === "stopped") {
      study.stopped("whether the deny pattern ever decides", subject, outcome, at);
      return "unknown";
    }
    if (outcome.kind === "found") return only ? verdict : "works";
    if (only) verdict = "dead";
  }
  return verdict;
}

function lacksLetter({ program, alphabet }: Subject, place: DenyPlace): boolean {
  const steps = program?.roles[place.role]?.deny[place.deny]?.steps ?? [];
  return steps.some((step) => !alphabet.letters.some(({ toolClass }) => program?.matches(toolClass, step)));
}

/** The slice's rules without its deny pattern. */
function withoutPattern(slice: Slice): SequenceSpace | undefined {
  return changed(slice, (role, own) => ({
    ...role,
    deny: role.deny.map((pattern, index) => (own(index) ? never(pattern) : pattern)),
  }));
}

/** The slice's deny pattern with what may excuse it, and nothing else. */
function patternAlone(slice: Slice): SequenceSpace | undefined {
  return changed(slice, (role, own) => ({
    ...role,
    allowListed: false,
    deny: role.deny.map((pattern, index) => (own(index) ? pattern : never(pattern))),
  }));
}

type RoleProgram = SequenceProgram["roles"][number];

/** Rules of the same shape, so that the slice's states are states of theirs. */
function changed(
  { space, deny }: Slice,
  change: (role: RoleProgram, own: (index: number) => boolean) => RoleProgram,
): SequenceSpace | undefined {
  if (space === undefined || deny === undefined) return undefined;
  const { program } = space;
  return new SequenceSpace({
    roles: program.roles.map((role, place) =>
      change(role, (index) => place === deny.role && index === deny.deny),
    ),
    classOf: (tool) => program.classOf(tool),
    matches: (toolClass, step) => program.matches(toolClass, step),
  });
}

/** A pattern that no call can be a step of. */
function never<T extends { readonly steps: readonly number[] }>(pattern: T): T {
  return { ...pattern, steps: pattern.steps.map(() => -1) };
}

function deadAllow(
  study: Study,
  subjects: readonly Subject[],
  scope: Finding["scope"],
  rule: Rule,
  at: string,
): Finding[] {
  const held = holders(subjects, "allow", at);
  if (held.length === 0) return [];
  const base = { certain: true, roles: rolesOf(held), ...study.placed(at) } as const;
  const named = rule.steps.map((step) => `\`${step}\``).join(" then ");
  const lists = held.some(({ subject, role }) => subject.program?.roles[role]?.allowListed);
  const kind = lists ? "unreachable_sequence" : "dead_allow";
  const lacking = lackingStep(study, rule);
  if (lacking !== undefined) {
    const words = `the allow pattern ${named} is never completed: no role is granted a tool of \`${lacking}\``;
    return [{ kind, ...base, scope: "any user", words }];
  }
  const excuses = held.some(({ subject, role, index }) =>
    subject.program?.roles[role]?.deny.some((deny) => deny.excuses.includes(index)),
  );
  if (!lists && !excuses) {
    const words = `the allow pattern ${named} excuses nothing: no deny pattern of its role fits into it and ends like it`;
    return [{ kind, ...base, scope: "any user", words }];
  }
  for (const { subject, role, index } of held) {
    if (allowDoes(study, subject, { role, allow: index }, at) !== "dead") return [];
  }
  const words = `the allow pattern ${named} is never completed: other rules refuse a call that it needs`;
  return [{ kind, ...base, scope, words }];
}

function allowDoes(
  study: Study,
  subject: Subject,
  keep: { readonly role: number; readonly allow: number },
  at: string,
): Verdict {
  const outcome = study.search(
    subject,
    { wanted: () => false, keep },
    (_, { keep: kept, space }) => ({
      goal: ({ state }, { toolClass }, denial) => {
        if (denial !== undefined || kept === undefined || space === undefined) return false;
        const { steps = [] } = space.program.roles[kept.role]?.allow[kept.allow] ?? {};
        const last = steps.length - 1;
        if (!space.program.matches(toolClass, steps[last] ?? -1)) return false;
        return (
          last === 0 || ((state.node?.state.roles[kept.role]?.free[kept.allow] ?? 0) & (1 << last)) !== 0
        );
      },
    }),
    FINDING_SHARE,
  );
  if (outcome.kind === "found") return "works";
  if (outcome.kind === "closed") return "dead";
  study.stopped("whether the allow pattern is ever completed", subject, outcome, at);
  return "unknown";
}

/** The first step that no role at all is granted a tool of. */
function lackingStep(study: Study, { steps }: Rule): string | undefined {
  return steps.find((step) => !study.toolsOf(step).some((tool) => study.granted.has(tool)));
}
