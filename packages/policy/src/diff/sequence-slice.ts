import { type SequenceProgram, SequenceSpace } from "d2-core";
import type { Walk } from "../reach/walk.js";

type RoleProgram = SequenceProgram["roles"][number];

/** A part of two policies' automata that has in it every difference which one rule, or one label, can make. */
export interface SequenceSlice {
  /** Whether what it has no difference in may still differ elsewhere: a look at a few calls only. */
  readonly probe: boolean;
  /** One tool of each kind that neither part tells apart. */
  readonly tools: readonly string[];
  /** The rules of the part, for a walk of the old policy and for one of the new. Absent: those of the roles, if any. */
  readonly spaces: readonly [SequenceSpace | undefined, SequenceSpace | undefined];
  /** The labels that can block one of the tools. */
  readonly labels: ReadonlySet<string>;
}

/** Tools that no rule of either policy tells apart: numbers stand for them in what follows. */
interface Letter {
  readonly tool: string;
  readonly traits: readonly [Traits, Traits];
}

interface Traits {
  readonly toolClass: number;
  readonly labels: readonly string[];
  readonly blocks: readonly string[];
}

/** A pattern in terms of letters: equal keys match the same calls. */
interface Pattern {
  readonly key: string;
  readonly steps: readonly (readonly number[])[];
}

interface Deny extends Pattern {
  readonly excuses: readonly Pattern[];
}

interface Rules {
  readonly program: SequenceProgram | undefined;
  readonly denies: readonly Deny[];
  /** The allow patterns of the roles with an allow list; absent: there is no such role. */
  readonly listed: readonly Pattern[] | undefined;
}

/**
 * Cuts two automata down to parts that can be searched one by one. What makes a call's decision differ is a deny pattern that the
 * other policy does not have or excuses more, or a tool that has a label in one policy only. Calls that are no step of that
 * pattern, nor of an excuse that the calls which are left may need, can be taken out of any sequence of calls: it
 * stays allowed up to its last call, and that is still decided differently. So each part need only hold the letters that are left
 * and the patterns that can fire on them, and where none of the parts has a difference, there is none.
 *
 * That does not hold of allow lists that differ, for a list may ask that the calls so far be exactly the beginning of a
 * pattern: then all is one part.
 *
 * Probes come last: what they find is so, and where a part is too large to be searched whole they are likely to find something.
 *
 * @param labels the labels that count
 */
export function sequenceSlices(
  walks: readonly [Walk, Walk],
  tools: readonly string[],
  labels: ReadonlySet<string>,
): readonly SequenceSlice[] {
  const letters = lettersOf(walks, tools, labels);
  const rules = [rulesOf(walks, 0, letters), rulesOf(walks, 1, letters)] as const;
  const differing = [
    ...unmatched(rules[0].denies, rules[1].denies),
    ...unmatched(rules[1].denies, rules[0].denies),
  ];
  const sameLists = listKey(rules[0]) === listKey(rules[1]);
  const rank = plainness(rules, letters);
  const probes = [...differing, ...(sameLists ? [] : unlisted(rules))].map(({ steps }) => {
    const tried = new Set(steps.flatMap((hit) => plainest(hit, rank)));
    return sliceOf(tried, letters, rules, true);
  });
  if (!sameLists) return [wholeSlice(walks, tools, labels), ...probes];
  const wanted = differing.map(({ steps }) => new Set(steps.flat()));
  for (const label of labels) {
    const has = ({ labels: own }: Traits) => own.includes(label);
    const differs = ({ traits: [old, now] }: Letter) => has(old) !== has(now);
    if (!letters.some(differs)) continue;
    const blocked = ({ traits }: Letter) => traits.some(({ blocks }) => blocks.includes(label));
    wanted.push(new Set(letters.flatMap((letter, n) => (differs(letter) || blocked(letter) ? [n] : []))));
  }
  const closed = wanted.map((each) => closure(each, rules)).sort((a, b) => b.size - a.size);
  // What a larger part has in it need not be searched again.
  const largest = closed.filter(
    (one, n) => !closed.some((other, m) => m < n && [...one].every((letter) => other.has(letter))),
  );
  return [...largest.reverse().map((used) => sliceOf(used, letters, rules, false)), ...probes];
}

/** Letters of a step that a probe tries. */
const PROBED = 2;

/** For each letter, at how many steps of deny patterns it stands: the fewer, the less is in its way. */
function plainness(rules: readonly [Rules, Rules], letters: readonly Letter[]): readonly number[] {
  const counts = letters.map(() => 0);
  for (const { denies } of rules)
    for (const { steps } of denies) for (const n of steps.flat()) counts[n] = (counts[n] ?? 0) + 1;
  return counts;
}

function plainest(letters: readonly number[], rank: readonly number[]): readonly number[] {
  return [...letters].sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0)).slice(0, PROBED);
}

/** Everything, as it is. */
export function wholeSlice(
  walks: readonly [Walk, Walk],
  tools: readonly string[],
  labels: ReadonlySet<string>,
  mark: (tool: string) => boolean = () => false,
): SequenceSlice {
  const kept = lettersOf(walks, tools, labels, mark).map(({ tool }) => tool);
  return { probe: false, tools: kept, spaces: [undefined, undefined], labels };
}

function lettersOf(
  walks: readonly [Walk, Walk],
  tools: readonly string[],
  labels: ReadonlySet<string>,
  mark: (tool: string) => boolean = () => false,
): readonly Letter[] {
  const traitsIn = ({ view }: Walk, tool: string): Traits => {
    const entry = view.entry(tool);
    return {
      toolClass: entry.toolClass,
      labels: entry.labels.filter((label) => labels.has(label)),
      blocks: entry.blocks.map(({ label }) => label),
    };
  };
  const letters = new Map<string, Letter>();
  for (const tool of tools) {
    const traits = [traitsIn(walks[0], tool), traitsIn(walks[1], tool)] as const;
    const key = JSON.stringify([traits, mark(tool)]);
    if (!letters.has(key)) letters.set(key, { tool, traits });
  }
  return [...letters.values()];
}

/** The rules of a walk that can fire at all. */
function rulesOf(walks: readonly [Walk, Walk], side: 0 | 1, letters: readonly Letter[]): Rules {
  const program = walks[side].view.space?.program;
  if (program === undefined) return { program, denies: [], listed: undefined };
  const hitting = new Map<number, readonly number[]>();
  const lettersAt = (step: number): readonly number[] => {
    const known = hitting.get(step);
    if (known !== undefined) return known;
    const found = letters.flatMap(({ traits }, n) =>
      program.matches(traits[side].toolClass, step) ? [n] : [],
    );
    hitting.set(step, found);
    return found;
  };
  const pattern = ({ steps }: RoleProgram["allow"][number]): Pattern => {
    const hit = steps.map(lettersAt);
    return { key: hit.map((each) => each.join()).join(" then "), steps: hit };
  };
  const denies = program.roles.flatMap(({ deny, allow }) => {
    const patterns = allow.map(pattern);
    return deny.map((it) => ({
      ...pattern(it),
      excuses: it.excuses.flatMap((index) => patterns[index] ?? []).filter(canComplete),
    }));
  });
  const lists = program.roles.filter(({ allowListed }) => allowListed);
  return {
    program,
    denies: denies.filter(canComplete),
    listed: lists.length === 0 ? undefined : lists.flatMap(({ allow }) => allow.map(pattern)),
  };
}

function canComplete({ steps }: Pattern): boolean {
  return steps.every((letters) => letters.length > 0);
}

/** Equal where the allow lists permit the same after the same calls. */
function listKey({ listed }: Rules): string {
  return listed === undefined ? "none" : JSON.stringify([...new Set(listed.map(({ key }) => key))].sort());
}

/** The patterns that may deny what no pattern of the other policy does. */
function unmatched(own: readonly Deny[], other: readonly Deny[]): readonly Deny[] {
  return own.filter(({ key, excuses }) => {
    const keys = new Set(excuses.map((excuse) => excuse.key));
    return !other.some((it) => it.key === key && it.excuses.every((excuse) => keys.has(excuse.key)));
  });
}

/** The patterns that are in the allow lists of one policy only. */
function unlisted([{ listed: old = [] }, { listed: now = [] }]: readonly [Rules, Rules]): readonly Pattern[] {
  const only = (own: readonly Pattern[], other: readonly Pattern[]): readonly Pattern[] => {
    const keys = new Set(other.map(({ key }) => key));
    return own.filter(({ key }) => !keys.has(key));
  };
  return [...only(old, now), ...only(now, old)];
}

/** With the letters that the calls of these may need before them. */
function closure(wanted: ReadonlySet<number>, rules: readonly [Rules, Rules]): ReadonlySet<number> {
  const used = new Set(wanted);
  const use = (steps: Pattern["steps"]) => {
    for (const letters of steps) for (const letter of letters) used.add(letter);
  };
  for (let before = -1; before !== used.size; ) {
    before = used.size;
    for (const { denies, listed = [] } of rules) {
      for (const { steps, excuses } of denies) {
        if (!steps.every((letters) => isHit(letters, used))) continue;
        for (const excuse of excuses)
          if (isHit(excuse.steps.at(-1) ?? [], used)) use(excuse.steps.slice(0, -1));
      }
      for (const { steps } of listed) {
        const last = steps.findLastIndex((letters) => isHit(letters, used));
        if (last > 0) use(steps.slice(0, last));
      }
    }
  }
  return used;
}

function isHit(letters: readonly number[], used: ReadonlySet<number>): boolean {
  return letters.some((letter) => used.has(letter));
}

function sliceOf(
  used: ReadonlySet<number>,
  letters: readonly Letter[],
  rules: readonly [Rules, Rules],
  probe: boolean,
): SequenceSlice {
  const kept = letters.filter((_, n) => used.has(n));
  const parts = [partOf(rules[0].program, 0, kept), partOf(rules[1].program, 1, kept)] as const;
  const labels = new Set(kept.flatMap(({ traits }) => traits.flatMap(({ blocks }) => blocks)));
  // Letters that differ only in what was left out are one.
  const distinct = new Map<string, Letter>();
  for (const letter of kept) {
    const seen = letter.traits.map((traits, side) => [
      parts[side]?.steps.filter((step) => parts[side]?.program?.matches(traits.toolClass, step)) ?? [],
      traits.labels.filter((label) => labels.has(label)),
      traits.blocks,
    ]);
    const key = JSON.stringify(seen);
    if (!distinct.has(key)) distinct.set(key, letter);
  }
  const space = ({ program }: Part) => (program === undefined ? undefined : new SequenceSpace(program));
  return {
    probe,
    tools: [...distinct.values()].map(({ tool }) => tool),
    spaces: [space(parts[0]), space(parts[1])],
    labels,
  };
}

interface Part {
  readonly program: SequenceProgram | undefined;
  readonly steps: readonly number[];
}

/** The patterns that the letters can complete; of an allow list those that they can be part of. */
function partOf(program: SequenceProgram | undefined, side: 0 | 1, letters: readonly Letter[]): Part {
  if (program === undefined) return { program, steps: [] };
  const known = new Map<number, boolean>();
  const isHitBy = (step: number): boolean => {
    const hit =
      known.get(step) ?? letters.some(({ traits }) => program.matches(traits[side].toolClass, step));
    known.set(step, hit);
    return hit;
  };
  const roles = program.roles.map((role): RoleProgram => {
    const deny = role.deny.filter(({ steps }) => steps.every(isHitBy));
    const needed = new Set(deny.flatMap(({ excuses }) => excuses));
    const indexes = role.allow.flatMap(({ steps }, index) => {
      const excusing = needed.has(index) && steps.every(isHitBy);
      return excusing || (role.allowListed && steps.some(isHitBy)) ? [index] : [];
    });
    const places = new Map(indexes.map((index, place) => [index, place]));
    return {
      ...role,
      deny: deny.map((it) => ({ ...it, excuses: it.excuses.flatMap((index) => places.get(index) ?? []) })),
      allow: indexes.flatMap((index) => role.allow[index] ?? []),
    };
  });
  const patterns = roles.flatMap(({ deny, allow }) => [...deny, ...allow]);
  return {
    program: {
      roles,
      classOf: (tool) => program.classOf(tool),
      matches: (toolClass, step) => program.matches(toolClass, step),
    },
    steps: [...new Set(patterns.flatMap(({ steps }) => steps))],
  };
}
