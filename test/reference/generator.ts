/** Random policies and scripts. Small alphabets and patterns that the scripts follow make the rules really fire. */
import type {
  AuthoredEntry,
  AuthoredPermission,
  AuthoredPolicy,
  AuthoredRule,
  Ending,
  User,
} from "./authored.js";
import { listOf } from "./authored.js";
import { Dice } from "./dice.js";
import { conditionsCase } from "./random-values.js";
import type { Case, Event } from "./script.js";

/** `db` is no tool of `db.*`. */
const TOOLS = ["db.read", "db", "net/post", "net/get", "mail:send", "redact", "approve"];
const PREFIXES = ["db.*", "net/*", "mail:*"];
const ROLES = ["r0", "r1", "r2", "r3"];
const LABELS = ["PII", "PCI"];

/** What a policy is made from. */
interface Parts {
  readonly tools: readonly string[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

function reference(dice: Dice, { tools, groups }: Parts): string {
  const names = Object.keys(groups);
  return dice.weighted([
    [70, dice.pick(tools)],
    [names.length > 0 ? 22 : 0, `@${names.length > 0 ? dice.pick(names) : ""}`],
    [5, dice.pick(PREFIXES)],
    [3, "*"],
  ]);
}

function denyRule(dice: Dice, parts: Parts): AuthoredRule {
  const length = dice.weighted([
    [50, 2],
    [25, 3],
    [15, 4],
    [10, 5],
  ]);
  return {
    deny: dice.some(length, () => reference(dice, parts)),
    ...(dice.chance(0.2) ? { reason: "because" } : {}),
  };
}

/** Most allow patterns are a deny pattern with steps put in: those are the ones that can excuse something. */
function allowRule(dice: Dice, parts: Parts, denied: readonly AuthoredRule[]): AuthoredRule {
  const model = denied.length > 0 && dice.chance(0.65) ? dice.pick(denied).deny : undefined;
  if (model === undefined) {
    const length = dice.weighted([
      [15, 1],
      [30, 2],
      [30, 3],
      [15, 4],
      [10, 5],
    ]);
    return { allow: dice.some(length, () => reference(dice, parts)) };
  }
  const steps = [...model];
  const more = dice.between(0, 5 - steps.length);
  for (let count = 0; count < more; count++)
    steps.splice(dice.between(0, steps.length - 1), 0, reference(dice, parts));
  return { allow: steps };
}

function sequence(dice: Dice, parts: Parts): NonNullable<AuthoredEntry["sequence"]> {
  const denied = dice.some(dice.between(0, 2), () => denyRule(dice, parts));
  const rules = [...denied, ...dice.some(dice.between(0, 3), () => allowRule(dice, parts, denied))];
  if (dice.chance(0.35)) return { mode: "deny", rules };
  return dice.chance(0.7) ? rules : dice.chance(0.5) ? { rules } : { mode: "allow", rules };
}

function permission(dice: Dice, parts: Parts): string | AuthoredPermission {
  const tool = reference(dice, parts);
  if (dice.chance(0.08)) return { tool, allow: false };
  if (dice.chance(0.1)) return { id: tool, allow: true };
  // Some outputs are refused, so that a call may return and still count for nothing.
  if (dice.chance(0.15)) return { tool, conditions: { output: { ok: { ne: false } } } };
  return tool;
}

function entry(dice: Dice, parts: Parts): AuthoredEntry {
  const roles = dice.part(ROLES, 0.3);
  const names = dice.chance(0.5) ? { role: roles.length === 1 ? dice.pick(roles) : roles } : { roles };
  const permissions = dice.some(dice.between(0, 4), () => permission(dice, parts));
  return {
    ...names,
    ...(permissions.length > 0 || dice.chance(0.5) ? { permissions } : {}),
    ...(dice.chance(0.6) ? { sequence: sequence(dice, parts) } : {}),
  };
}

const rulesOf = ({ sequence: rules = [] }: AuthoredEntry): readonly AuthoredRule[] =>
  "length" in rules ? rules : (rules.rules ?? []);

/**
 * INVARIANT: no case comes near the 256 threads that a session may drop excuses beyond. Where calls follow one another,
 * a thread is which steps of the role's allow patterns a witness has reached; of all such sets only minimal ones
 * matter, at most C(10, 5) = 252 for 10 steps. Where calls overlap, `callsFor` keeps the witnesses themselves below 256.
 */
function withinTheCap(policies: readonly AuthoredEntry[]): boolean {
  return ROLES.every((role) => {
    const own = policies.filter((each) => listOf(each.role ?? each.roles).includes(role)).flatMap(rulesOf);
    return own.reduce((steps, rule) => steps + Math.max(0, (rule.allow?.length ?? 1) - 1), 0) <= 10;
  });
}

/** How many overlapping calls give fewer than 256 witnesses of any step: C(30,1), C(23,2), C(12,3), C(10,4). */
function callsFor(policies: readonly AuthoredEntry[]): number {
  const longest = Math.max(2, ...policies.flatMap(rulesOf).map((rule) => rule.deny?.length ?? 0));
  return (
    new Map([
      [2, 30],
      [3, 23],
      [4, 12],
    ]).get(longest) ?? 10
  );
}

function randomPolicy(dice: Dice, wideGrant: number): { policy: AuthoredPolicy; tools: readonly string[] } {
  const first = dice.between(0, TOOLS.length - 1);
  const tools = TOOLS.map((_, at) => TOOLS[(first + 2 * at) % TOOLS.length] ?? "").slice(
    0,
    dice.between(3, 7),
  );
  const groups = Object.fromEntries(
    ["g", "h", "i"]
      .slice(0, dice.between(0, 3))
      .map((name) => [name, dice.part([...tools, dice.pick(PREFIXES)], 0.4)]),
  );
  const parts = { tools, groups };
  const flows = dice.chance(0.3)
    ? {
        data_flow: {
          labels: Object.fromEntries(dice.some(2, () => [reference(dice, parts), dice.part(LABELS, 0.5)])),
          blocks: Object.fromEntries(dice.part(LABELS, 0.6).map((label) => [label, reference(dice, parts)])),
        },
      }
    : {};
  const wide: AuthoredEntry[] = dice.chance(wideGrant)
    ? [{ role: "r0", permissions: dice.chance(0.5) ? "*" : tools }]
    : [];
  for (;;) {
    const policies = [...wide, ...dice.some(dice.between(1, 4), () => entry(dice, parts))];
    if (!withinTheCap(policies)) continue;
    return { policy: { metadata: { name: "random", tool_groups: groups, ...flows }, policies }, tools };
  }
}

function randomUser(dice: Dice): User {
  const others = dice.part([...ROLES.slice(1), "ghost", "*"], 0.3).slice(0, 2);
  return { id: "u", roles: dice.chance(0.85) ? ["r0", ...others] : others };
}

/** Draws the tools of a script: often the steps of one of the policy's patterns, one after the other. */
function* toolsFor(
  dice: Dice,
  { policy, tools }: { policy: AuthoredPolicy; tools: readonly string[] },
): Generator<string, never> {
  const groups = policy.metadata?.tool_groups ?? {};
  const patterns = policy.policies.flatMap(rulesOf).map((rule) => rule.deny ?? rule.allow ?? []);
  const meant = (step: string): string => {
    if (step.startsWith("@")) return meant(dice.pick(listOf(groups[step.slice(1)])));
    return dice.pick(
      TOOLS.filter((tool) => (step.endsWith("*") ? tool.startsWith(step.slice(0, -1)) : tool === step)),
    );
  };
  for (;;) {
    if (dice.chance(0.4) || patterns.length === 0)
      yield dice.chance(0.03) ? "no.such.tool" : dice.pick(tools);
    else
      for (const step of dice.pick(patterns)) {
        if (dice.chance(0.25)) yield dice.pick(tools);
        yield meant(step);
      }
  }
}

function ending(dice: Dice): Ending {
  if (dice.chance(0.12)) return { threw: { name: "Error", message: "a failure" } };
  return { returned: { ok: !dice.chance(0.15) } };
}

function sequential(dice: Dice, tools: Generator<string, never>): Event[] {
  const calls = dice.chance(0.2) ? dice.between(10, 30) : dice.between(3, 14);
  return Array.from({ length: calls }, (_, id): Event[] => [
    { do: "start", id, session: 0, tool: tools.next().value, args: {}, parent: null },
    { do: "end", call: id, ending: ending(dice) },
  ]).flat();
}

/** Calls side by side and inside one another, and with `sessions` also sessions inside of sessions. */
function overlapping(dice: Dice, tools: Generator<string, never>, most: number, sessions: boolean): Event[] {
  const script: Event[] = [];
  const running: { id: number; session: number }[] = [];
  const open: { id: number; outer: number }[] = [{ id: 0, outer: -1 }];
  let nextSession = 1;
  let nextCall = 0;
  const endOne = () => {
    const [call] = running.splice(dice.between(0, running.length - 1), 1);
    if (call !== undefined) script.push({ do: "end", call: call.id, ending: ending(dice) });
  };
  while (nextCall < most && script.length < 60) {
    const session = dice.chance(0.5) ? nextSession - 1 : dice.pick(open).id;
    if (!open.some(({ id }) => id === session)) continue;
    const inside = running.filter((call) => call.session === session);
    const parent = inside.length > 0 && dice.chance(0.5) ? dice.pick(inside).id : null;
    const leaves = open.filter(({ id }) => id !== 0 && !open.some(({ outer }) => outer === id));
    if (sessions && nextSession < 4 && dice.chance(0.2)) {
      const within = parent ?? inside.at(-1)?.id ?? null;
      script.push({ do: "open", id: nextSession, outer: session, within, user: randomUser(dice) });
      open.push({ id: nextSession++, outer: session });
    } else if (leaves.length > 0 && dice.chance(0.2)) {
      const closed = dice.pick(leaves);
      script.push({ do: "close", session: closed.id });
      open.splice(open.indexOf(closed), 1);
    } else if (running.length > 0 && dice.chance(running.length < 4 ? 0.4 : 0.8)) {
      endOne();
    } else {
      script.push({ do: "start", id: nextCall, session, tool: tools.next().value, args: {}, parent });
      running.push({ id: nextCall++, session });
    }
  }
  return script;
}

/** The case of a seed, always the same one: three of four about permissions, sequences and flows, one about values. */
export function generateCase(seed: number): Case {
  const dice = new Dice(seed);
  if (dice.chance(0.25)) return conditionsCase(seed, dice);
  const kind = dice.weighted([
    [60, "one after the other"],
    [30, "overlapping"],
    [10, "sessions"],
  ]);
  const made = randomPolicy(dice, kind === "one after the other" ? 0.85 : 1);
  const tools = toolsFor(dice, made);
  const most = Math.min(callsFor(made.policy.policies), dice.between(4, 16));
  const script =
    kind === "one after the other"
      ? sequential(dice, tools)
      : overlapping(dice, tools, most, kind === "sessions");
  return { seed, policy: made.policy, user: randomUser(dice), script };
}
