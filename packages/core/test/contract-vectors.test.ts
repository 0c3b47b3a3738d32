import { canonicalJson, digest } from "../src/canonical/canonical-json.js";
import { normalizeAnchors } from "../src/contract/anchor.js";
import { BehaviorLog } from "../src/contract/behavior-log.js";
import { DblEvent, type DblEventFields } from "../src/contract/dbl-event.js";
import { GateDecision } from "../src/contract/gate-decision.js";
import {
  chainStep,
  gatewayDecisionDigest,
  gatewayEventDigest,
  gatewayReleaseDigest,
  normativeDecision,
} from "../src/contract/gateway-digest.js";
import { PolicyContext } from "../src/contract/policy-context.js";
import { projectState } from "../src/contract/projection.js";
import { normalizeTrace, sanitizeTrace, traceDigest } from "../src/contract/trace.js";
import { build } from "./encoded-input.js";
import { checkVectors, type Fields } from "./vector-agreement.js";

// The casts in here state the shapes that the vectors' README gives.

const eventOf = (encoded: unknown): DblEvent => {
  const { event_kind, correlation_id, data, observational } = encoded as Fields;
  return new DblEvent({
    eventKind: event_kind,
    correlationId: correlation_id,
    ...((encoded as Fields)["data"] === undefined ? {} : { data: build(data) }),
    observational: build(observational ?? null),
  } as DblEventFields);
};

checkVectors("anchors.json", { ValueError: "invalid_anchor", TypeError: "invalid_anchor" }, (input) => {
  const anchors = normalizeAnchors(build(input));
  return { canonical: canonicalJson(anchors), digest: digest(anchors) };
});

checkVectors(
  "events.json",
  { InvalidEventError: "invalid_event", InvalidTraceError: "invalid_trace" },
  (input) => {
    const event = eventOf(input);
    return { canonical: event.canonical, canonical_full: canonicalJson(event.full()), digest: event.digest };
  },
);

checkVectors("behavior.json", {}, (input) => {
  const log = new BehaviorLog((input as readonly unknown[]).map(eventOf));
  return {
    canonical: log.canonical,
    digest: log.digest,
    event_digests: Array.from(log, ({ event }) => event.digest),
    t_index: Array.from(log, ({ index }) => index),
  };
});

checkVectors(
  "policy_context.json",
  { ValidationError: "invalid_input", ValueError: "unknown_context_key", TypeError: "invalid_input" },
  (input) => {
    const { tenant_id, inputs } = input as Fields;
    const context = new PolicyContext(tenant_id as string, build(inputs));
    return { canonical: canonicalJson(context.inputs), digest: context.authoritativeDigest };
  },
);

checkVectors("trace.json", { InvalidTraceError: "invalid_trace", TypeError: "invalid_trace" }, (input) => {
  const { op, trace: encoded } = input as Fields;
  const trace = build(encoded);
  if (op === "normalize_raw") {
    const normalized = normalizeTrace(trace);
    return { canonical: canonicalJson(normalized.trace), digest: normalized.traceDigest };
  }
  if (op === "sanitize") {
    const sanitized = sanitizeTrace(trace);
    return { canonical: canonicalJson(sanitized), digest: digest(sanitized) };
  }
  const found = traceDigest(trace);
  return { canonical: canonicalJson(trace), digest: found };
});

checkVectors("projection.json", {}, (input) => {
  const letters: Readonly<Record<string, Omit<DblEventFields, "correlationId">>> = {
    I: { eventKind: "INTENT" },
    A: { eventKind: "DECISION", data: new GateDecision("ALLOW", "ok") },
    D: { eventKind: "DECISION", data: new GateDecision("DENY", "no") },
    M: { eventKind: "DECISION", data: { gate: { decision: "ALLOW", reason_code: "ok" } } },
    X: { eventKind: "EXECUTION", data: { trace: {}, trace_digest: digest({}) } },
    P: { eventKind: "PROOF" },
  };
  const events = [...(input as string)].map((letter) => {
    const fields = letters[letter];
    if (fields === undefined) throw new Error(`unknown letter ${letter}`);
    return new DblEvent({ ...fields, correlationId: "c" });
  });
  const { phase, runnerStatus, tIndex } = projectState(events);
  return { phase, runner_status: runnerStatus, t_index: tIndex };
});

checkVectors("gateway_digests.json", {}, (input) => {
  const fields = input as Fields;
  switch (fields["op"]) {
    case "v_chain": {
      const seed = `sha256:${"0".repeat(64)}`;
      const steps: string[] = [];
      for (const [index, event] of fields["indexed"] as readonly (readonly [number, string])[]) {
        steps.push(chainStep(steps.at(-1) ?? seed, index, event));
      }
      return { seed, steps, digest: steps.at(-1) ?? seed };
    }
    case "decision": {
      const [decision, context] = [fields["decision"] as Fields, fields["args"] as Fields];
      const block = normativeDecision(decision, context);
      return { canonical: canonicalJson(block), digest: gatewayDecisionDigest(decision, context) };
    }
    case "event": {
      const { kind, correlation_id, payload } = fields;
      const event = gatewayEventDigest(
        kind as DblEventFields["eventKind"],
        correlation_id as string,
        build(payload),
      );
      return { digest: event.digest, canon_len: event.length };
    }
    default:
      return { digest: gatewayReleaseDigest(build(fields["release"])) };
  }
});
