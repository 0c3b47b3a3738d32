import type { AccountFacts, Sampling } from "./account-facts.js";
import { chainOf, denialFields } from "./denial-fields.js";
import type { EventBuffer, Losses, PendingEvents, RenderedEvent } from "./event-buffer.js";
import { type EventWriter, short } from "./event-text.js";
import type { CallObserver, Observation } from "./observation.js";

/** Calls of a session from which on its length is told. */
const DEEP = 5;

/** The types of events that a decision makes, in the order in which they are sent, each a bit of a mask. */
const DECISION_EVENTS = [
  "authz_decision",
  "total_authz_overhead",
  "guardrail_overhead",
  "data_flow",
  "data_flow_labels_emitted",
  "anomaly_detected",
  "context_leak",
] as const;

type DecisionEvent = (typeof DECISION_EVENTS)[number];

/** Turns calls into usage events. */
export class UsageEvents implements CallObserver {
  readonly #buffer: EventBuffer;
  readonly #sampling: Sampling;
  readonly #writer: EventWriter;
  readonly #mode: string;
  readonly #notice: () => void;

  /**
   * @param mode where the policy comes from
   * @param notice to be called when there is a new event
   */
  constructor(
    buffer: EventBuffer,
    { sampling, writer, mode }: { sampling: Sampling; writer: EventWriter; mode: string },
    notice: () => void,
  ) {
    this.#buffer = buffer;
    this.#sampling = sampling;
    this.#writer = writer;
    this.#mode = mode;
    this.#notice = notice;
  }

  decided(call: Observation): void {
    const { decision, entry, user } = call;
    const denied = decision.outcome === "deny";
    // INVARIANT: a denial is always told, whatever part of the decisions is.
    let mask = denied || this.#sampling.takes("authz_decision") ? 1 : 0;
    if (this.#sampling.takes("total_authz_overhead")) mask |= 2;
    const input = entry?.input !== undefined && (!denied || decision.layer === "input");
    if (input && this.#sampling.takes("guardrail_overhead")) mask |= 4;
    if (!denied) {
      if (call.newPair && this.#sampling.takes("data_flow")) mask |= 8;
      if (
        entry !== undefined &&
        entry.labels.length > 0 &&
        this.#sampling.takes("data_flow_labels_emitted")
      ) {
        mask |= 16;
      }
    }
    const trace = user?.trace;
    if (call.depth >= DEEP && trace?.deep === false) {
      trace.deep = true;
      if (this.#sampling.takes("anomaly_detected")) mask |= 32;
    }
    if (decision.reason === "no_context" && this.#sampling.takes("context_leak")) mask |= 64;
    if (mask !== 0) this.#push(new DecisionEvents(call, mask, this.#writer, this.#mode, denied));
  }

  ended(call: Observation): void {
    const { release, entry } = call;
    if (release === undefined) return;
    const output = entry?.output;
    const types: string[] = [];
    if (release.denial !== undefined) types.push("authz_decision");
    if (call.through !== 0 && output !== undefined) {
      if (output.checks.length > 0 && this.#sampling.takes("guardrail_overhead"))
        types.push("output_validation");
      const sanitizes = output.acts.length > 0 || !output.global.empty;
      if (sanitizes && this.#sampling.takes("guardrail_overhead")) types.push("output_sanitization");
    }
    if (release.transforms.length > 0 && this.#sampling.takes("output_sanitized"))
      types.push("output_sanitized");
    if (types.length === 0) return;
    this.#push({
      count: types.length,
      denials: release.denial === undefined ? 0 : 1,
      render: () => types.map((type) => this.#renderEnd(call, type)),
    });
  }

  /** Something that is no call: of the policy, or of the control plane. */
  happened(
    type: string,
    event: { readonly at: number; readonly policy: Observation["policy"]; readonly fields: object },
  ): void {
    if (!this.#sampling.takes(type)) return;
    this.#push({ count: 1, denials: 0, render: () => [this.#writer.write({ type, ...event })] });
  }

  follow({ sample }: AccountFacts): void {
    this.#sampling.follow(sample);
  }

  #push(pending: PendingEvents): void {
    this.#buffer.push(pending);
    this.#notice();
  }

  #renderEnd(call: Observation, kind: string): RenderedEvent {
    const { policy, user, release, tool: tool_id } = call;
    const { denial, milliseconds = 0, transforms = [], at = call.at } = release ?? {};
    const write = (type: string, fields: object) =>
      this.#writer.write({ type, at, policy, user, fields, denial: type === "authz_decision" });
    if (kind === "authz_decision" && denial !== undefined) {
      const fields = { tool_id, result: "denied", mode: this.#mode, ...denialFields(denial, call) };
      return write(kind, fields);
    }
    if (kind === "output_sanitized") {
      const changed = transforms.slice(0, 50);
      return write(kind, {
        tool_id,
        modified: true,
        fields_modified: changed.map(({ path }) => short(path)),
        actions_applied: Object.fromEntries(changed.map(({ path, action }) => [short(path), action])),
        field_count: transforms.length,
      });
    }
    const done = kind === "output_validation" ? "allowed" : "completed";
    const result = denial?.reason === kind ? "denied" : done;
    return write("guardrail_overhead", {
      tool_id,
      guardrail_type: kind,
      overhead_ms: round(milliseconds),
      result,
    });
  }
}

/** The events of a decision. */
class DecisionEvents implements PendingEvents {
  readonly #call: Observation;
  readonly #mask: number;
  readonly #writer: EventWriter;
  readonly #mode: string;
  readonly denials: number;

  constructor(call: Observation, mask: number, writer: EventWriter, mode: string, denied: boolean) {
    this.#call = call;
    this.#mask = mask;
    this.#writer = writer;
    this.#mode = mode;
    this.denials = denied ? 1 : 0;
  }

  get count(): number {
    let count = 0;
    for (let left = this.#mask; left !== 0; left &= left - 1) count += 1;
    return count;
  }

  render(): RenderedEvent[] {
    return DECISION_EVENTS.filter((_, bit) => (this.#mask & (1 << bit)) !== 0).map((type) =>
      this.#render(type),
    );
  }

  #render(type: DecisionEvent): RenderedEvent {
    const { at, policy, user, decision } = this.#call;
    const denial = type === "authz_decision" && decision.outcome === "deny";
    return this.#writer.write({ type, at, policy, user, fields: this.#fields(type), denial });
  }

  #fields(type: DecisionEvent): object {
    const call = this.#call;
    const { tool: tool_id, decision, depth } = call;
    const result = decision.outcome === "deny" ? "denied" : "allowed";
    const milliseconds = round(call.decisionMs);
    const mode = this.#mode;
    switch (type) {
      case "authz_decision": {
        const why = decision.outcome === "deny" ? denialFields(decision, call) : {};
        return { tool_id, result, decision_ms: milliseconds, mode, ...why };
      }
      case "total_authz_overhead":
        return { tool_id, overhead_ms: milliseconds, mode };
      case "guardrail_overhead":
        return { tool_id, guardrail_type: "input_validation", overhead_ms: milliseconds, result };
      case "data_flow":
        return { source_tool: call.source, destination_tool: tool_id };
      case "data_flow_labels_emitted":
        return { tool_id, labels: call.entry?.labels.slice(0, 50) };
      case "anomaly_detected":
        return {
          anomaly_type: "unusual_call_chain_depth",
          call_chain_depth: chainOf(call).chain_length - 1,
          baseline: 3,
          tools_in_chain: depth === 0 ? [] : call.user?.trace?.recent,
        };
      case "context_leak":
        return { tool_id };
    }
  }
}

/** The event that tells of lost ones. */
export function lossEvent(
  writer: EventWriter,
  at: number,
  policy: Observation["policy"],
  losses: Losses,
): RenderedEvent {
  return writer.write({
    type: "events_dropped",
    at,
    policy,
    fields: { count: losses.count, denials: losses.denials },
  });
}

/** Milliseconds with three digits after the point. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
