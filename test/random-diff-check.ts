/** Compares what a diff tells with what two policies decide, call by call. */
import {
  compilePlan,
  compileToolMatcher,
  type Decision,
  decideCall,
  decideRelease,
  type Plan,
  type PolicyDocument,
  parameterNames,
  Session,
} from "d2-core";
import type { ExampleCall, PolicyChange, PolicyDiff } from "d2-policy/diff";
import type { PolicyPair } from "./random-diff-pairs.js";

/** What the diff does not tell, or tells and is not so. */
export interface Fault {
  readonly what: string;
  readonly roles: readonly string[] | undefined;
  readonly details: unknown;
}

interface Sides {
  readonly before: PolicyDocument;
  readonly after: PolicyDocument;
  readonly old: Plan;
  readonly now: Plan;
  readonly diff: PolicyDiff;
}

const LOOSE = ["loosened", "changed"];
const TIGHT = ["tightened", "changed"];
/** Besides the ids in the policies: some under each prefix, and one that no prefix has. */
const MORE_TOOLS = ["db.x", "net/x", "mail:x", "t.x", "elsewhere"];
const NAMES = [undefined, parameterNames(["a", "b"]), parameterNames(["a", "b", "c", "list", "a.b"])];

export function firstFault(
  before: PolicyDocument,
  after: PolicyDocument,
  diff: PolicyDiff,
  pair: PolicyPair,
  roleSets: readonly (readonly string[])[],
): Fault | undefined {
  const sides = { before, after, old: compilePlan(before), now: compilePlan(after), diff };
  const tools = toolsOf(before, after);
  const roles = [...new Set([...sides.old.roleNames, ...sides.now.roleNames])].map((role) => [role]);
  for (const user of [...roles, ...roleSets]) {
    const fault =
      permissionFault(sides, user, tools) ??
      historyFault(sides, user, tools) ??
      valueFault(sides, user, tools, pair);
    if (fault !== undefined) return { roles: user, ...fault };
  }
  return reportFault(sides, tools);
}

type Found = Omit<Fault, "roles"> | undefined;

function toolsOf(...documents: PolicyDocument[]): readonly string[] {
  const text = JSON.stringify(documents);
  const known = [
    "db.read",
    "db",
    "net/post",
    "net/get",
    "mail:send",
    "redact",
    "approve",
    "t.a",
    "t.b",
    "t.c",
  ];
  return [...known.filter((tool) => text.includes(`"${tool}"`)), ...MORE_TOOLS];
}

/** Whether the change says something of the tool. */
function isAbout({ before, after }: Sides, change: PolicyChange, tool: string): boolean {
  return change.tools.some((name) =>
    [before, after].some(({ toolGroups }) => {
      const group = toolGroups.find((it) => `@${it.name}` === name);
      return compileToolMatcher(group?.tools ?? (name.startsWith("@") ? [] : [name])).matches(tool);
    }),
  );
}

function concerns({ roleSets }: PolicyChange, user: readonly string[]): boolean {
  return roleSets.some((roles) => roles.join() === [...user].sort().join());
}

function told(
  { diff }: Sides,
  user: readonly string[],
  kinds: readonly string[],
  directions: readonly string[],
  fits: (change: PolicyChange) => boolean = () => true,
): boolean {
  return diff.changes.some(
    (change) =>
      concerns(change, user) &&
      kinds.includes(change.kind) &&
      directions.includes(change.direction) &&
      fits(change),
  );
}

function permissionFault(sides: Sides, user: readonly string[], tools: readonly string[]): Found {
  const { old, now, diff } = sides;
  for (const tool of tools) {
    const from = old.view(user).entry(tool).denial === undefined;
    const to = now.view(user).entry(tool).denial === undefined;
    if (from === to) continue;
    const kinds = to ? ["permission_gained", "role_added"] : ["permission_lost", "role_removed"];
    const is = to ? "loosened" : "tightened";
    // A set of roles may gain by a role that is new.
    const found = user.some((role) =>
      told(sides, [role], kinds, [is], (change) => isAbout(sides, change, tool)),
    );
    const asSet = told(sides, user, kinds, [is], (change) => isAbout(sides, change, tool));
    if (!asSet && !(user.length === 1 && found))
      return { what: `permission of ${tool} ${is}`, details: diff.changes };
    if (to && !diff.mayLoosen) return { what: "mayLoosen", details: tool };
  }
  return undefined;
}

type Step = readonly [tool: string, released: boolean];

function sessionAfter(
  plan: Plan,
  user: readonly string[],
  calls: readonly Step[],
  facts: readonly string[],
): Session {
  const session = new Session();
  session.addFacts(facts);
  for (const [tool, released] of calls) {
    session.end(session.begin(tool, 0), released);
    session.addFacts(plan.view(user).entry(tool).labels);
  }
  return session;
}

/** What the layers before the arguments say. */
function decided(
  plan: Plan,
  user: readonly string[],
  calls: readonly Step[],
  tool: string,
  facts: readonly string[] = [],
): Decision | undefined {
  const session = sessionAfter(plan, user, calls, facts);
  const view = plan.view(user);
  const { decision } = decideCall("current", view, {
    tool,
    session,
    enclosing: 0,
    names: undefined,
    args: [],
  });
  return decision.outcome === "allow" || decision.reason === "input_validation" ? undefined : decision;
}

/** Every sequence of up to three calls that both policies allow until its last. */
function historyFault(sides: Sides, user: readonly string[], tools: readonly string[]): Found {
  const { old, now, diff } = sides;
  const both = tools.filter((tool) =>
    [old, now].every((plan) => plan.view(user).entry(tool).denial === undefined),
  );
  const most = both.length > 6 ? 1 : both.length > 4 ? 2 : 3;
  const walk = (calls: readonly Step[], facts: readonly string[]): Found => {
    for (const tool of both) {
      const from = decided(old, user, calls, tool, facts);
      const to = decided(now, user, calls, tool, facts);
      if ((from === undefined) !== (to === undefined)) {
        const kind = to === undefined ? "sequence_opened" : "sequence_closed";
        const is = to === undefined ? LOOSE : TIGHT;
        const rule = (from ?? to)?.rule;
        const places = (change: PolicyChange) => (to === undefined ? change.before : change.after);
        const fits = (change: PolicyChange) => places(change).some((place) => place.rule === rule);
        const label = (change: PolicyChange) => fits(change) && isAbout(sides, change, tool);
        const found = told(sides, user, ["block"], is, label) || told(sides, user, [kind], is, fits);
        if (!found)
          return { what: `${kind} ${JSON.stringify([calls, tool, facts, from, to])}`, details: diff.changes };
        if (to === undefined && !diff.mayLoosen) return { what: "mayLoosen", details: calls };
      } else if (from === undefined && calls.length < most) {
        for (const released of [true, false]) {
          const fault = walk([...calls, [tool, released]], facts);
          if (fault !== undefined) return fault;
        }
      }
    }
    return undefined;
  };
  // An application may record labels itself.
  const labels = new Set(
    [sides.before, sides.after].flatMap(({ blocks }) => blocks.map(({ label }) => label)),
  );
  for (const facts of [[], ...[...labels].map((label) => [label])]) {
    const fault = walk([], facts);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function valueFault(
  sides: Sides,
  user: readonly string[],
  tools: readonly string[],
  pair: PolicyPair,
): Found {
  for (const tool of tools) {
    const from = sides.old.view(user).entry(tool);
    const to = sides.now.view(user).entry(tool);
    if (from.denial !== undefined || to.denial !== undefined) continue;
    if (from.input !== undefined || to.input !== undefined) {
      const fault = argumentFault(sides, user, tool, pair);
      if (fault !== undefined) return fault;
    }
    for (const value of pair.outputs) {
      const fault = outputFault(sides, user, tool, value);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

function argumentFault(sides: Sides, user: readonly string[], tool: string, { args }: PolicyPair): Found {
  for (const names of NAMES) {
    for (const named of args) {
      const given =
        names === undefined
          ? [named]
          : [...names.positions.keys()].map((name) => (Object.hasOwn(named, name) ? named[name] : undefined));
      const broken = (plan: Plan) => {
        const call = { tool, session: new Session(), enclosing: 0, names, args: given };
        const { decision } = decideCall("current", plan.view(user), call);
        return decision.reason === "input_validation"
          ? new Set(decision.violations.map(({ path }) => path))
          : undefined;
      };
      const [was, is] = [broken(sides.old), broken(sides.now)];
      if ((was === undefined) === (is === undefined)) continue;
      // Whether sequences let it come so far is another question.
      if ([sides.old, sides.now].some((plan) => decided(plan, user, [], tool) !== undefined)) continue;
      const directions = is === undefined ? LOOSE : TIGHT;
      for (const path of was ?? is ?? []) {
        // A violation without a path is of the call as a whole, which any rule brings.
        const fits = (change: PolicyChange) =>
          isAbout(sides, change, tool) && (path === "" || change.path === path);
        if (told(sides, user, ["input"], directions, fits)) continue;
        const what = `input ${path} of ${tool} ${directions[0]} ${JSON.stringify(given)}`;
        return { what, details: sides.diff.changes };
      }
    }
  }
  return undefined;
}

const OUTPUT_KINDS = ["output", "action", "global"];

function outputFault(sides: Sides, user: readonly string[], tool: string, value: unknown): Found {
  const from = decideRelease(sides.old.view(user).entry(tool).output, value);
  const to = decideRelease(sides.now.view(user).entry(tool).output, value);
  const about = (change: PolicyChange) => isAbout(sides, change, tool);
  const outcomes = [from.decision.outcome, to.decision.outcome].join();
  const cleaner = outcomes === "allow,allow" && isCleaner(to.value, from.value);
  const same = outcomes === "deny,deny" || JSON.stringify(from) === JSON.stringify(to);
  if (same && outcomes !== "allow,allow") return undefined;
  if (
    JSON.stringify([from.value]) === JSON.stringify([to.value]) &&
    from.decision.outcome === to.decision.outcome
  )
    return undefined;
  const is = outcomes === "allow,deny" || cleaner ? TIGHT : LOOSE;
  if (told(sides, user, OUTPUT_KINDS, is, about)) return undefined;
  // What is cleaned another way may be cleaned less on another place of the same value.
  if (cleaner && told(sides, user, OUTPUT_KINDS, LOOSE, about)) return undefined;
  return {
    what: `output of ${tool} ${outcomes} ${JSON.stringify([value, from.value, to.value])}`,
    details: sides.diff.changes,
  };
}

/** Whether everything in one value is also in the other, at its place, as far as it was not taken out. */
function isCleaner(one: unknown, other: unknown): boolean {
  if (typeof one === "string" && (one.includes("[RED") || "[REDACTED]".startsWith(one))) return true; // cut later, perhaps
  if (typeof one === "string") return typeof other === "string" && other.startsWith(one);
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.every((item) => other.some((it: unknown) => isCleaner(item, it)));
  }
  if (typeof one !== "object" || one === null) return one === other;
  if (typeof other !== "object" || other === null || Array.isArray(other)) return false;
  const whole = new Map(Object.entries(other));
  return Object.entries(one).every(([key, entry]) => whole.has(key) && isCleaner(entry, whole.get(key)));
}

/** What the diff tells and is not so. */
function reportFault(sides: Sides, tools: readonly string[]): Fault | undefined {
  for (const change of sides.diff.changes) {
    const what = falseReport(sides, change, tools);
    if (what !== undefined) return { what, roles: change.roleSets[0], details: change };
  }
  return undefined;
}

function falseReport(sides: Sides, change: PolicyChange, tools: readonly string[]): string | undefined {
  switch (change.kind) {
    case "permission_gained":
    case "permission_lost": {
      const [without, having] =
        change.kind === "permission_gained" ? [sides.old, sides.now] : [sides.now, sides.old];
      for (const roles of change.roleSets) {
        const named = change.tools.filter((name) => tools.includes(name));
        const denied = (plan: Plan, tool: string) => plan.view(roles).entry(tool).denial !== undefined;
        const wrong = named.filter((tool) => !denied(without, tool) || denied(having, tool));
        if (wrong.length > 0) return `${change.kind} of ${wrong.join()}`;
      }
      return undefined;
    }
    case "sequence_opened":
    case "sequence_closed":
      return falseExample(sides, change);
    case "expires":
    case "role_added":
    case "role_removed":
    case "denial_added":
    case "denial_removed":
    case "reason":
    case "input":
    case "output":
    case "action":
    case "global":
    case "block":
    case "sequence_rewritten":
    case "search_stopped":
      return undefined;
  }
}

/** A role that grants everything stands for the other roles of those who hold further ones. */
const EVERYTHING = "everything";

function falseExample(
  sides: Sides,
  { kind, together, example = [], roleSets }: PolicyChange,
): string | undefined {
  const { before, after } = sides;
  const [old, now] = together ? [withEverything(before), withEverything(after)] : [sides.old, sides.now];
  for (const roles of roleSets.length === 0 ? [[]] : roleSets) {
    const user = together ? [...roles, EVERYTHING] : roles;
    const stepsOf = (isBefore: boolean): Step[] =>
      example.map(({ tool, ended }: ExampleCall) => [
        tool,
        ended === "released" || (isBefore && ended === "released_before"),
      ]);
    const [from, to] = [stepsOf(true), stepsOf(false)];
    for (const [at, [tool]] of from.entries()) {
      const was = decided(old, user, from.slice(0, at), tool) === undefined;
      const is = decided(now, user, to.slice(0, at), tool) === undefined;
      const last = at === from.length - 1;
      const expected = last ? [kind === "sequence_closed", kind === "sequence_opened"] : [true, true];
      if (was !== expected[0] || is !== expected[1])
        return `${kind}: call ${at} of the example is ${was}, ${is}`;
    }
  }
  return undefined;
}

function withEverything(document: PolicyDocument): Plan {
  return compilePlan({ ...document, policies: [...document.policies, everything] });
}

const everything: PolicyDocument["policies"][number] = {
  roles: [EVERYTHING],
  permissions: [
    {
      tool: "*",
      allow: true,
      input: [],
      output: [],
      global: { denyIfPatterns: [], requireFieldsAbsent: [] },
      at: ["policies"],
    },
  ],
  at: ["policies"],
};
