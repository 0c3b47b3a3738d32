import type { SequenceProgram } from "d2-core";
import type { DenyPlace } from "./deny-place.js";
import type { Letter } from "./letters.js";

/** What a letter can do in one slice. */
interface Traits {
  readonly letter: Letter;
  /** Steps of allow patterns that it matches: more of them help. */
  readonly helps: ReadonlySet<number>;
  /** Steps of deny patterns, labels and blocks: fewer of them help. */
  readonly hinders: ReadonlySet<number | string>;
  /** What must be the same for one letter to stand for another. */
  readonly same: string;
}

/**
 * Leaves out every letter in whose place another can be called in any path: one that matches all the steps of allow
 * patterns that it matches, and no step of a deny pattern, no label and no block that it does not have.
 *
 * @param keepsApart what else must be equal
 * @param pursued a deny pattern of the rules whose witnesses are looked for
 */
export function fewerLetters(
  letters: readonly Letter[],
  roles: SequenceProgram["roles"],
  matches: (toolClass: number, step: number) => boolean,
  labels: ReadonlySet<string>,
  keepsApart: (letter: Letter) => string,
  pursued: DenyPlace | undefined,
): readonly Letter[] {
  const deny = [...new Set(roles.flatMap((role) => role.deny.flatMap(({ steps }) => steps)))];
  const allow = [...new Set(roles.flatMap((role) => role.allow.flatMap(({ steps }) => steps)))];
  const role = pursued === undefined ? undefined : roles[pursued.role];
  const witness = role?.deny[pursued?.deny ?? -1];
  const equal = [
    ...(witness?.steps ?? []),
    ...(witness?.excuses ?? []).flatMap((index) => role?.allow[index]?.steps ?? []),
  ];
  const distinct = new Map<string, Traits>();
  for (const letter of letters) {
    const hits = (step: number) => matches(letter.toolClass, step);
    const helps = allow.filter(hits);
    const flow = [...letter.labels.filter((it) => labels.has(it)), ...letter.blocks.map((it) => `!${it}`)];
    const hinders = [...deny.filter(hits), ...flow];
    const same = `${keepsApart(letter)} ${equal.filter(hits).join()}`;
    const key = JSON.stringify([same, helps, hinders]);
    if (distinct.has(key)) continue;
    distinct.set(key, { letter, helps: new Set(helps), hinders: new Set(hinders), same });
  }
  const traits = [...distinct.values()];
  return traits
    .filter((one) => !traits.some((other) => other !== one && standsFor(other, one)))
    .map(({ letter }) => letter);
}

/** Not both ways round: letters with equal traits are one by now. */
function standsFor(one: Traits, other: Traits): boolean {
  if (one.same !== other.same) return false;
  if (one.helps.size < other.helps.size || one.hinders.size > other.hinders.size) return false;
  for (const step of other.helps) if (!one.helps.has(step)) return false;
  for (const trait of one.hinders) if (!other.hinders.has(trait)) return false;
  return true;
}
