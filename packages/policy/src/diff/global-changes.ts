import { formatDocumentPath, type Permission } from "d2-core";
import type { ChangeDraft } from "./change-list.js";
import type { ChangeDirection } from "./policy-diff.js";

type Rules = readonly Permission[];

/** What changed in what no result may hold, whatever the actions made of it. */
export function globalChanges(before: Rules, after: Rules): ChangeDraft[] {
  return [...patternChanges(before, after), ...fieldChanges(before, after), ...sizeChanges(before, after)];
}

/** Whether any of the permissions has a rule on the result as a whole. */
export function hasGlobal(rules: Rules): boolean {
  return rules.some(
    ({ global: { denyIfPatterns, requireFieldsAbsent, maxBytes } }) =>
      denyIfPatterns.length > 0 || requireFieldsAbsent.length > 0 || maxBytes !== undefined,
  );
}

function places(rules: Rules, name: string, has: (permission: Permission) => boolean): string[] {
  return rules.filter(has).map(({ at }) => formatDocumentPath([...at, "conditions", "output", name]));
}

/** Another pattern in the place of one is not ranked: they may find the same. */
function patternChanges(before: Rules, after: Rules): ChangeDraft[] {
  const old = new Set(before.flatMap(({ global }) => global.denyIfPatterns));
  const now = new Set(after.flatMap(({ global }) => global.denyIfPatterns));
  const removed = [...old].filter((pattern) => !now.has(pattern));
  const added = [...now].filter((pattern) => !old.has(pattern));
  if (removed.length === 0 && added.length === 0) return [];
  const has = ({ global }: Permission) => global.denyIfPatterns.length > 0;
  const place = {
    kind: "global" as const,
    before: places(before, "deny_if_patterns", has),
    after: places(after, "deny_if_patterns", has),
  };
  const list = (patterns: readonly string[]) => patterns.map((pattern) => JSON.stringify(pattern)).join(", ");
  const sentence = (direction: ChangeDirection, says: string): ChangeDraft => ({
    ...place,
    direction,
    words: (who, tools) => `for ${who}, the output of ${tools} ${says}`,
  });
  if (removed.length === 0)
    return [sentence("tightened", `is now refused where ${list(added)} is found in it`)];
  if (added.length === 0) {
    return [sentence("loosened", `is no longer refused where ${list(removed)} is found in it`)];
  }
  const says = `is refused where ${list(added)} is found in it, before ${list(removed)}`;
  return [sentence("changed", says)];
}

function fieldChanges(before: Rules, after: Rules): ChangeDraft[] {
  const fields = (rules: Rules) => new Set(rules.flatMap(({ global }) => global.requireFieldsAbsent));
  const old = fields(before);
  const now = fields(after);
  const named = (field: string) => (permission: Permission) =>
    permission.global.requireFieldsAbsent.includes(field);
  const removed = [...old].filter((field) => !now.has(field));
  const added = [...now].filter((field) => !old.has(field));
  return [
    ...added.map(
      (field): ChangeDraft => ({
        kind: "global",
        direction: "tightened",
        path: field,
        words: (who, tools) => `for ${who}, the output of ${tools} is now refused with a field \`${field}\``,
        after: places(after, "require_fields_absent", named(field)),
      }),
    ),
    ...removed.map(
      (field): ChangeDraft => ({
        kind: "global",
        direction: "loosened",
        path: field,
        words: (who, tools) => `for ${who}, the output of ${tools} may now have a field \`${field}\``,
        before: places(before, "require_fields_absent", named(field)),
      }),
    ),
  ];
}

function sizeChanges(before: Rules, after: Rules): ChangeDraft[] {
  const old = smallest(before);
  const now = smallest(after);
  if (old === now) return [];
  const of = (size: number) => (permission: Permission) => permission.global.maxBytes === size;
  const say = (size: number) => (size === Number.POSITIVE_INFINITY ? "of any size" : `at most ${size} bytes`);
  return [
    {
      kind: "global",
      direction: now < old ? "tightened" : "loosened",
      words: (who, tools) => `for ${who}, the output of ${tools} may be ${say(now)}, before ${say(old)}`,
      before: places(before, "max_bytes", of(old)),
      after: places(after, "max_bytes", of(now)),
    },
  ];
}

function smallest(rules: Rules): number {
  return Math.min(...rules.map(({ global }) => global.maxBytes ?? Number.POSITIVE_INFINITY));
}
