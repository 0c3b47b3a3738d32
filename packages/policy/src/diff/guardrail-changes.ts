import { formatDocumentPath } from "d2-core";
import { actionChanges, isActionRule } from "./action-changes.js";
import type { ChangeDraft } from "./change-list.js";
import type { PathRule } from "./facet.js";
import { globalChanges, hasGlobal } from "./global-changes.js";
import { pathChanges } from "./path-changes.js";
import type { PlacedPermission } from "./policy-side.js";

type Grants = readonly PlacedPermission[];

/** Compares what permissions ask of arguments and outputs, the rules of all of them taken together as a plan does. */
export class GuardrailComparison {
  readonly #known = new Map<string, readonly ChangeDraft[]>();

  /** @param before the permissions that grant a tool to the user in the old policy, in document order; `after` alike */
  changes(before: Grants, after: Grants): readonly ChangeDraft[] {
    const old = before.filter(isConditioned);
    const now = after.filter(isConditioned);
    if (old.length === 0 && now.length === 0) return [];
    // Many tools are granted by the same permissions.
    const key = `${old.map(({ order }) => order).join()} ${now.map(({ order }) => order).join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = compared(old, now);
    this.#known.set(key, found);
    return found;
  }
}

function isConditioned({ permission }: PlacedPermission): boolean {
  const { input, output } = permission;
  return input.length > 0 || output.length > 0 || hasGlobal([permission]);
}

function compared(before: Grants, after: Grants): readonly ChangeDraft[] {
  const actions = (grants: Grants) =>
    grants.flatMap(({ permission }) => permission.output.filter(isActionRule));
  const rules = (grants: Grants) => grants.map(({ permission }) => permission);
  const global = hasGlobal(rules(before)) && hasGlobal(rules(after));
  return [
    ...pathChanges("input", inputRules(before), inputRules(after)),
    ...pathChanges("output", outputChecks(before), outputChecks(after)),
    ...actionChanges(actions(before), actions(after), global),
    ...globalChanges(rules(before), rules(after)),
  ];
}

function inputRules(grants: Grants): ReadonlyMap<string, readonly PathRule[]> {
  const rules = grants.flatMap(({ permission, exact }) => permission.input.map((rule) => ({ rule, exact })));
  // A rule without operators asks nothing.
  return byPath(rules.filter(({ rule }) => rule.operators.length > 0));
}

function outputChecks(grants: Grants): ReadonlyMap<string, readonly PathRule[]> {
  const rules = grants.flatMap(({ permission }) => permission.output);
  return byPath(rules.filter((rule) => !isActionRule(rule)).map((rule) => ({ rule, exact: false })));
}

function byPath(
  rules: readonly {
    readonly rule: PlacedPermission["permission"]["input"][number];
    readonly exact: boolean;
  }[],
): ReadonlyMap<string, readonly PathRule[]> {
  const paths = new Map<string, PathRule[]>();
  for (const { rule, exact } of rules) {
    const placed = { operators: rule.operators, at: formatDocumentPath(rule.at), exact };
    const known = paths.get(rule.path);
    if (known === undefined) paths.set(rule.path, [placed]);
    else known.push(placed);
  }
  return paths;
}
