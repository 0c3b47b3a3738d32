import { type Fault, type FieldRule, quoted } from "d2-core";
import { isExact, type OwnedPermission } from "../inspect/permission-index.js";
import type { ToolSets } from "../inspect/tool-sets.js";
import { warning } from "./finding.js";

/** A rule that always takes the value away, for the roles and tools of its permission. */
interface Taking {
  readonly owned: OwnedPermission;
  readonly rule: FieldRule;
}

/** Actions on what an earlier action has taken away, whatever was returned. */
export function idleActions(all: readonly OwnedPermission[], tools: ToolSets): Fault[] {
  const takings = new Takings(tools);
  const found: Fault[] = [];
  for (const owned of all) {
    if (!owned.permission.allow) continue;
    for (const rule of owned.permission.output) {
      if (rule.action === undefined) continue;
      found.push(...idle(rule, owned, takings.before(owned)));
      if (rule.operators.length === 0 && (rule.action === "filter" || rule.action === "redact")) {
        takings.add({ owned, rule });
      }
    }
  }
  return found;
}

/** The rules so far that take values away; those on one tool by that tool, since a policy may have thousands. */
class Takings {
  readonly #tools: ToolSets;
  readonly #exact = new Map<string, Taking[]>();
  readonly #wide: Taking[] = [];

  constructor(tools: ToolSets) {
    this.#tools = tools;
  }

  add(taking: Taking): void {
    const { tool } = taking.owned.permission;
    if (!isExact(tool)) {
      this.#wide.push(taking);
      return;
    }
    const same = this.#exact.get(tool);
    if (same === undefined) this.#exact.set(tool, [taking]);
    else same.push(taking);
  }

  /** Those that apply wherever the rules of a permission do, for some of its roles at least. */
  before({ roles, permission: { tool } }: OwnedPermission): readonly Taking[] {
    const wide = this.#wide.filter(({ owned }) =>
      this.#tools.isWithin(tool, this.#tools.matcher(owned.permission.tool)),
    );
    return [...(this.#exact.get(tool) ?? []), ...wide].filter(({ owned }) =>
      owned.roles.some((role) => roles.includes(role)),
    );
  }
}

/** Every role that has the later rule must have one that takes the value away before. */
function idle(rule: FieldRule, owned: OwnedPermission, before: readonly Taking[]): Fault[] {
  for (const reach of ["all", "nested"] as const) {
    const taken = before.filter((taking) => reachOf(taking.rule, rule) === reach);
    if (!owned.roles.every((role) => taken.some(({ owned: { roles } }) => roles.includes(role)))) continue;
    const [first] = taken;
    if (first === undefined) continue;
    return [warning("action_after_removal", wording(rule, first.rule, reach), rule.at, { at: "key" })];
  }
  return [];
}

function wording(rule: FieldRule, earlier: FieldRule, reach: "all" | "nested"): string {
  const subject = earlier.path === "$" ? "the returned value" : quoted(earlier.path);
  const done = earlier.action === "filter" ? "is always removed" : "is always redacted";
  const path = quoted(rule.path);
  const wantsPresence = rule.operators.some(({ name, operand }) => name === "required" && operand === true);
  if (rule.action === "deny" && wantsPresence) {
    return `${subject} ${done} before, so \`required\` on ${path} refuses every output${reach === "all" ? "" : ` without a key that is itself named ${path}`}`;
  }
  const but = reach === "all" ? "" : `, but on a key that is itself named ${path}`;
  return `${subject} ${done} before, so the action on ${path} never fires${but}: take one of the two out`;
}

/** Whether an action leaves nothing of what a later path reaches, or only keys that have its dots in their name. */
function reachOf(earlier: FieldRule, later: FieldRule): "all" | "nested" | undefined {
  if (earlier.path === "$") return later.path === "$" ? undefined : "all";
  if (later.path === "$") return undefined;
  // A value that was redacted is still there, as a text.
  if (earlier.path === later.path) return earlier.action === "filter" ? "all" : undefined;
  if (earlier.path.includes(".")) return later.path.startsWith(`${earlier.path}.`) ? "nested" : undefined;
  const parts = later.path.split(".");
  const reached =
    parts.length > 1 && (earlier.action === "filter" ? parts : parts.slice(0, -1)).includes(earlier.path);
  return reached ? "nested" : undefined;
}
