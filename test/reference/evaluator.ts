/**
 * The policy language, slow and obvious: written from `spec/policy-language.md` alone, for a valid policy as its
 * author wrote it, and sharing no code with the plan. Random cases are run through both.
 */
import type { AuthoredPermission, AuthoredPolicy, Ending, Naming, User, Verdict } from "./authored.js";
import { listOf } from "./authored.js";
import { globalHit, inputViolations, release } from "./conditions.js";
import { type Call, sequenceDenies } from "./sequence.js";

type Arguments = Readonly<Record<string, unknown>> | undefined;

const OK: Verdict = { outcome: "allow", reason: "ok" };
const deny = (reason: string): Verdict => ({ outcome: "deny", reason });

/** One session. Calls are numbered from 0 in the order in which they were allowed, over the whole tree of sessions. */
export class ReferenceSession {
  /** What all sessions of a tree share. */
  readonly #tree: { readonly calls: Call[]; time: number };
  readonly #history: Call[] = [];
  readonly #facts = new Set<string>();
  #live = true;

  /** `state` is that of the policy, by default `current`; `outer` and `within`: see `openChild`. */
  constructor(
    private readonly policy: AuthoredPolicy,
    private readonly user: User | null,
    private readonly state: () => "current" | "expired" | "unavailable" = () => "current",
    private readonly outer: ReferenceSession | null = null,
    private readonly within: Call | null = null,
  ) {
    this.#tree = outer === null ? { calls: [], time: 0 } : outer.#tree;
  }

  /** Decides a call (section 9); an allowed one runs from now on. `args` undefined: it cannot be named. */
  start(
    tool: string,
    args: Arguments,
    parent: number | null,
    naming: Naming = {},
  ): { decision: Verdict; call?: number } {
    const { calls } = this.#tree;
    const call: Call = {
      tool,
      roles: this.user?.roles ?? [],
      parent: parent === null ? this.within : (calls[parent] ?? null),
      begin: this.#tree.time++,
      end: Number.POSITIVE_INFINITY,
      status: "running",
    };
    const decision = this.#decide(call, args, naming);
    if (decision.outcome === "deny") return { decision };
    for (const [reference, labels] of Object.entries(this.policy.metadata?.data_flow?.labels ?? {}))
      if (this.#names(reference, tool)) for (const label of listOf(labels)) this.#facts.add(label);
    this.#history.push(call);
    return { decision, call: calls.push(call) - 1 };
  }

  #decide(call: Call, args: Arguments, naming: Naming): Verdict {
    if (this.state() !== "current") return deny(`policy_${this.state()}`);
    if (this.user === null || this.user.id === "") return deny("no_context");
    if (this.#permissions(call.tool).length === 0) return deny("missing_policy");
    const own = this.#permissions(call.tool, call.roles);
    if (own.length === 0 || own.some(({ allow }) => allow === false)) return deny("rbac_denied");

    const rules = call.roles.map((role) => this.#sequenceRules(role));
    if (sequenceDenies(rules, this.#history, call)) return deny("sequence_violation");

    const blocks = Object.entries(this.policy.metadata?.data_flow?.blocks ?? {});
    const blocked = blocks.filter(([label]) => this.#facts.has(label)).flatMap(([, tools]) => listOf(tools));
    if (blocked.some((reference) => this.#names(reference, call.tool))) return deny("data_flow_violation");

    const inputs = own.flatMap(({ tool, id, conditions }) => {
      const exact = (tool ?? id) === call.tool;
      return Object.entries(conditions?.input ?? {}).map(([path, rule]) => ({ path, rule, exact }));
    });
    const violations = inputViolations(inputs, args, naming);
    return violations.length > 0 ? { ...deny("input_validation"), violations } : OK;
  }

  /** Judges what a tool ended with. An error that may go on is an allowed end without a value. */
  end(number: number, ending: Ending): { decision: Verdict; value?: unknown } {
    const call = this.#tree.calls[number];
    if (call?.status !== "running") throw new Error("this call does not run");
    call.end = this.#tree.time++;
    call.status = "failed";
    const outputs = this.#permissions(call.tool, call.roles).map(
      ({ conditions }) => conditions?.output ?? {},
    );
    if ("threw" in ending)
      return {
        decision: !ending.refusal && globalHit(outputs, ending.threw) ? deny("output_sanitization") : OK,
      };
    const released = release(outputs, ending.returned);
    if ("reason" in released) return { decision: deny(released.reason) };
    call.status = "released";
    return { decision: OK, value: released.value };
  }

  /** A session begun inside this one, within one of the running calls where there is one. */
  openChild(user: User | null, within: number | null = null): ReferenceSession {
    const call = within === null ? this.within : (this.#tree.calls[within] ?? null);
    return new ReferenceSession(this.policy, user, this.state, this, call);
  }

  /** Ends the session: its history and facts join the nearest session outside that still lives. */
  close(): void {
    this.#live = false;
    let outer = this.outer;
    while (outer !== null && !outer.#live) outer = outer.outer;
    if (outer === null) return;
    outer.#history.push(...this.#history.splice(0));
    for (const fact of this.#facts) outer.#facts.add(fact);
  }

  /** Whether a tool reference names the tool. */
  #names(reference: string, tool: string): boolean {
    const group = this.policy.metadata?.tool_groups?.[reference.slice(1)];
    if (reference.startsWith("@")) return listOf(group).some((each) => this.#names(each, tool));
    return reference.endsWith("*") ? tool.startsWith(reference.slice(0, -1)) : tool === reference;
  }

  /** The permissions that match a tool, in document order: of all roles, or of these. */
  #permissions(tool: string, roles?: readonly string[]): AuthoredPermission[] {
    return this.policy.policies
      .filter(({ role, roles: all = role }) => !roles || listOf(all).some((each) => roles.includes(each)))
      .flatMap((entry) => listOf<string | AuthoredPermission>(entry.permissions))
      .map((permission) => (typeof permission === "string" ? { tool: permission } : permission))
      .filter((permission) => this.#names(permission.tool ?? permission.id ?? "", tool));
  }

  /** What all entries that name a role say about sequences. */
  #sequenceRules(name: string) {
    const sequences = this.policy.policies
      .filter(({ role, roles = role }) => listOf(roles).includes(name))
      .map(({ sequence = [] }) => ("length" in sequence ? { mode: "allow", rules: sequence } : sequence));
    const rules = sequences.flatMap((sequence) => sequence.rules ?? []);
    const patterns = (kind: "deny" | "allow") =>
      rules
        .filter((rule) => rule[kind] !== undefined)
        .map((rule) => listOf(rule[kind]).map((step) => (tool: string) => this.#names(step, tool)));
    const denyMode = sequences.some(({ mode }) => mode === "deny");
    return { denyMode, deny: patterns("deny"), allow: patterns("allow") };
  }
}
