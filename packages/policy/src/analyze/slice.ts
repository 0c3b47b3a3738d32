import { MAX_STEPS, type SequenceNode, type SequenceProgram, SequenceSpace } from "d2-core";
import type { DenyPlace } from "./deny-place.js";
import { fewerLetters } from "./fewer-letters.js";
import type { Letter } from "./letters.js";

type RoleProgram = SequenceProgram["roles"][number];
type Pattern = RoleProgram["allow"][number];

export interface Aim {
  /** Letters that the search is about. */
  readonly wanted: (letter: Letter) => boolean;
  /** A deny pattern whose witnesses the search is about. */
  readonly deny?: DenyPlace | undefined;
  /** Allow patterns whose progress the search is about, by role. */
  readonly keep?: { readonly role: number; readonly allow: number } | undefined;
  /** Letters with different words here do not stand for one another. Default: each wanted letter stands for itself alone. */
  readonly apart?: ((letter: Letter) => string) | undefined;
  /** Also follow what overlapping calls could do; see `relaxed`. */
  readonly relaxed?: boolean | undefined;
}

/** The part of the automaton that can have a say in a search. */
export interface Slice {
  readonly letters: readonly Letter[];
  readonly space: SequenceSpace | undefined;
  readonly start: SequenceNode | undefined;
  readonly labels: ReadonlySet<string>;
  /** Where the aim's deny pattern and allow pattern stand in the slice. */
  readonly deny: DenyPlace | undefined;
  readonly keep: { readonly role: number; readonly allow: number } | undefined;
}

/**
 * Cuts the automaton down to what matters. A letter matters when the search is about it, or when some allow pattern that
 * a letter which matters may need has a step for it. Sound, because a call of any other letter helps nothing: take it out
 * of a path, and every later call of the path is still allowed (docs/analysis.md).
 */
export function sliceOf(program: SequenceProgram | undefined, letters: readonly Letter[], aim: Aim): Slice {
  const used = new Set(letters.filter(aim.wanted));
  const hitting = new Map<number, readonly Letter[]>();
  const lettersOf = (step: number): readonly Letter[] => {
    const known = hitting.get(step);
    if (known !== undefined) return known;
    const found = letters.filter(({ toolClass }) => program?.matches(toolClass, step) === true);
    hitting.set(step, found);
    return found;
  };
  const hit = (step: number): boolean => lettersOf(step).some((letter) => used.has(letter));
  const roles = program?.roles ?? [];
  const use = (steps: readonly number[]): void => {
    for (const step of steps) for (const letter of lettersOf(step)) used.add(letter);
  };
  const asked = aim.deny === undefined ? undefined : roles[aim.deny.role]?.deny[aim.deny.deny];
  if (asked !== undefined) use(asked.steps);
  if (aim.keep !== undefined) use(roles[aim.keep.role]?.allow[aim.keep.allow]?.steps ?? []);
  const firing = (pattern: Pattern) => pattern === asked || pattern.steps.every((step) => hit(step));
  for (let before = -1; before !== used.size; ) {
    before = used.size;
    for (const role of roles) {
      for (const deny of role.deny.filter(firing)) {
        for (const index of deny.excuses) use(role.allow[index]?.steps.slice(0, -1) ?? []);
      }
      if (!role.allowListed) continue;
      for (const { steps } of role.allow) {
        const last = steps.findLastIndex((step) => hit(step));
        if (last > 0) use(steps.slice(0, last));
      }
    }
  }
  const kept = letters.filter((letter) => used.has(letter));
  const labels = new Set(kept.flatMap(({ blocks }) => blocks));
  if (program === undefined)
    return { letters: kept, space: undefined, start: undefined, labels, deny: undefined, keep: undefined };
  const sliced = roles.map((role, index) => sliceRole(role, aim.keep?.role === index ? aim.keep.allow : -1));

  function sliceRole(role: RoleProgram, keep: number) {
    const deny = role.deny.filter(firing);
    const needed = new Set(deny.flatMap(({ excuses }) => excuses));
    const allow = role.allow.filter(
      (pattern, index) =>
        index === keep || needed.has(index) || (role.allowListed && pattern.steps.some((it) => hit(it))),
    );
    const places = new Map(allow.map((pattern, index) => [role.allow.indexOf(pattern), index]));
    const placed = deny.map((pattern) => ({
      ...pattern,
      excuses: pattern.excuses.flatMap((index) => places.get(index) ?? []),
    }));
    const own: RoleProgram = {
      ...role,
      deny: placed,
      allow: aim.relaxed === true && role.allowListed ? [...allow, ...beginnings(allow)] : allow,
    };
    return { own, deny, allow };
  }

  const space = new SequenceSpace({
    roles: sliced.map(({ own }) => own),
    classOf: (tool) => program.classOf(tool),
    matches: (toolClass, step) => program.matches(toolClass, step),
  });
  const { deny, keep } = aim;
  const denyAt =
    asked === undefined || deny === undefined ? -1 : (sliced[deny.role]?.deny.indexOf(asked) ?? -1);
  const keptPattern = keep === undefined ? undefined : roles[keep.role]?.allow[keep.allow];
  const keepAt =
    keep === undefined || keptPattern === undefined
      ? -1
      : (sliced[keep.role]?.allow.indexOf(keptPattern) ?? -1);
  const place = deny === undefined || denyAt < 0 ? undefined : { role: deny.role, deny: denyAt };
  const apart = aim.apart ?? ((letter: Letter) => (aim.wanted(letter) ? String(kept.indexOf(letter)) : ""));
  const { roles: rules } = space.program;
  const matches = (toolClass: number, step: number) => program.matches(toolClass, step);
  return {
    letters: fewerLetters(kept, rules, matches, labels, apart, place),
    space,
    start: aim.relaxed === true ? relaxed(space) : undefined,
    labels,
    deny: place,
    keep: keep === undefined || keepAt < 0 ? undefined : { role: keep.role, allow: keepAt },
  };
}

/** Every pattern's proper beginnings, each once. */
function beginnings(allow: readonly Pattern[]): Pattern[] {
  const found = new Map<string, Pattern>();
  for (const pattern of allow) {
    for (let length = 1; length < pattern.steps.length; length += 1) {
      const steps = pattern.steps.slice(0, length);
      found.set(steps.join(), { ...pattern, steps });
    }
  }
  return [...found.values()];
}

/**
 * An empty session for which an allow pattern's beginning need not be exactly what counts: with the beginnings as patterns
 * of their own, it is enough that its steps occur in order. Overlapping calls can do no more than that.
 */
function relaxed(space: SequenceSpace): SequenceNode {
  const past = { count: MAX_STEPS, patterns: [] };
  return space.intern(space.initial.state.roles.map((role) => ({ ...role, exact: past })));
}
