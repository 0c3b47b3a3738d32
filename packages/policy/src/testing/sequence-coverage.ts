import { type SequenceProgram, SequenceSpace, type Session, type ToolEntry } from "d2-core";
import type { Outcome } from "./coverage.js";
import { itemKey } from "./coverage-items.js";

type RoleProgram = SequenceProgram["roles"][number];

/** What each sequence rule says of a call that would come next, by itself. */
export function sequenceOutcomes(entry: ToolEntry, session: Session): Outcome[] {
  if (entry.space === undefined) return [];
  const { program } = entry.space;
  const { tool, toolClass } = entry;
  const refuses = (roles: readonly RoleProgram[]): boolean => {
    const space = new SequenceSpace({ ...program, roles });
    return session.tracker(space).denial(session, tool, toolClass, 0) !== undefined;
  };
  const fired = new Set<string>();
  const passed = new Set<string>();
  const used = new Set<string>();
  for (const role of program.roles) {
    for (const pattern of role.deny) {
      if (!program.matches(toolClass, pattern.steps.at(-1) ?? -1)) continue;
      const refusedWith = (excuses: readonly number[]): boolean =>
        refuses([{ ...role, allowListed: false, deny: [{ ...pattern, excuses }] }]);
      const { excuses, rule } = pattern;
      const refused = refusedWith(excuses);
      (refused ? fired : passed).add(rule);
      if (refused || excuses.length === 0 || !refusedWith([])) continue;
      // The rule found something, and all of it is excused: by an allow pattern alone, or by one that cannot be spared.
      for (const one of excuses) {
        const others = excuses.filter((other) => other !== one);
        const name = role.allow[one]?.rule;
        if (name !== undefined && (!refusedWith([one]) || refusedWith(others))) used.add(name);
      }
    }
    if (!role.allowListed) continue;
    for (const pattern of role.allow) {
      if (!refuses([{ ...role, deny: [], allow: [pattern] }])) used.add(pattern.rule);
    }
  }
  // A user who holds two such roles needs the leave of one of them.
  const listing = program.roles.filter((role) => role.allowListed);
  const unlisted = listing.length > 0 && refuses(listing.map((role) => ({ ...role, deny: [] })));
  return [
    ...[...fired].map((rule): Outcome => [itemKey.rule(rule), "fired"]),
    ...[...passed].filter((rule) => !fired.has(rule)).map((rule): Outcome => [itemKey.rule(rule), "passed"]),
    ...[...used].map((rule): Outcome => [itemKey.rule(rule), "used"]),
    ...(unlisted ? listing.map(({ rule }): Outcome => [itemKey.mode(rule), "fired"]) : []),
  ];
}
