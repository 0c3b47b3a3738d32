import type { SequenceNode, SequenceProgram } from "d2-core";
import type { WalkState } from "../reach/walk.js";
import type { DenyPlace } from "./deny-place.js";

type RoleState = SequenceNode["state"]["roles"][number];
type Thread = RoleState["threads"][number][number][number];

/** What a search is after besides allowed calls: then more of it is better, not less. */
export interface Pursuit {
  readonly deny?: DenyPlace | undefined;
  readonly label?: string | undefined;
  readonly program?: SequenceProgram | undefined;
}

/**
 * Whether whatever can be reached from `other` can be reached from `one` by the same calls: then `other` need not be
 * looked at. Each part of a state is compared by what it can do to a later call.
 */
export function isAsGood(one: WalkState, other: WalkState, pursuit: Pursuit): boolean {
  if (!factsAsGood(one.facts, other.facts, pursuit.label)) return false;
  const ours = one.node?.state.roles ?? [];
  const theirs = other.node?.state.roles ?? [];
  if (ours === theirs) return true;
  return theirs.every((their, index) => {
    const our = ours[index];
    if (our === undefined) return false;
    const deny = pursuit.deny?.role === index ? pursuit.deny.deny : undefined;
    const pursued = deny === undefined ? undefined : pursuit.program?.roles[index]?.deny[deny]?.excuses;
    return roleAsGood(our, their, deny, pursued ?? []);
  });
}

function factsAsGood(one: readonly string[], other: readonly string[], label: string | undefined): boolean {
  if (label !== undefined && other.includes(label) && !one.includes(label)) return false;
  return one.every((fact) => fact === label || other.includes(fact));
}

function roleAsGood(
  one: RoleState,
  other: RoleState,
  deny: number | undefined,
  pursued: readonly number[],
): boolean {
  // Progress of allow patterns helps, except where it would excuse what is pursued.
  for (let a = 0; a < other.free.length; a += 1) {
    const [ours, theirs] = [one.free[a] ?? 0, other.free[a] ?? 0];
    if ((theirs & ~ours) !== 0) return false;
    if (ours !== theirs && pursued.includes(a)) return false;
  }
  if (other.exact.patterns.length > 0) {
    if (one.exact.count !== other.exact.count) return false;
    if (!other.exact.patterns.every((pattern) => one.exact.patterns.includes(pattern))) return false;
  }
  for (let d = 0; d < one.threads.length; d += 1) {
    const [ours, theirs] = [one.threads[d] ?? [], other.threads[d] ?? []];
    for (let m = 0; m < ours.length; m += 1) {
      const [our, their] = [ours[m] ?? [], theirs[m] ?? []];
      if (our === their) continue;
      if (!(d === deny ? coveredBy(their, our) : coveredBy(our, their))) return false;
    }
  }
  return true;
}

/** Whether for each of these threads there is one among the others that is excused no more easily. */
function coveredBy(threads: readonly Thread[], others: readonly Thread[]): boolean {
  return threads.every((thread) => others.some((other) => within(other, thread)));
}

function within(one: Thread, other: Thread): boolean {
  return one.every((mask, k) => (mask & ~(other[k] ?? 0)) === 0);
}
