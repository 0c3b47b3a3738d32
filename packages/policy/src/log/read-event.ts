import { isHexDigest, REASON_CODES, sha256Hex } from "d2-core";
import { hasKeys, isJsonMapping, type JsonMapping } from "./canonical-line.js";
import { type CallIntent, type Intent, type LogEvent, readCallKey } from "./event.js";

/** A line's event with what stands beside it. */
export interface EventLine {
  readonly correlationId: string;
  readonly data: JsonMapping;
  readonly kind: string;
  readonly observational: unknown;
  readonly trace: unknown;
  /** Canonical JSON of a part of the line. */
  readonly write: (part: unknown) => string;
}

/** Reads an event of which the text is known to be canonical. `undefined`: it is none that a guard writes. */
export function readEvent(line: EventLine): LogEvent | undefined {
  if ((line.kind === "EXECUTION") !== (line.trace !== undefined)) return undefined;
  if (line.observational !== undefined && !isObservation(line)) return undefined;
  switch (line.kind) {
    case "INTENT":
      return readIntent(line);
    case "DECISION":
      return readDecision(line);
    case "PROOF":
      return readProof(line);
    case "EXECUTION":
      return readExecution(line);
  }
  return undefined;
}

function isObservation({ kind, observational }: EventLine): boolean {
  if (kind !== "EXECUTION" || !isJsonMapping(observational)) return false;
  const { duration_ns: duration, error } = observational;
  if (!hasKeys(observational, ["duration_ns"], ["error"]) || typeof duration !== "number") return false;
  return error === undefined || typeof error === "string" || isJsonMapping(error);
}

const INTENT_KEYS = ["authoritative_digest", "inputs", "policy", "tenant_id"];
const SESSION_KEY = ["session"];
const NO_SESSIONS: CallIntent["around"] = Object.freeze([]);
const SESSION_KEYS = ["within", "around"];
const INPUT_KEYS = ["capability", "extensions", "intent_type"];
const PRINCIPAL_KEY = ["principal_id"];
const POLICY_KEYS = ["policy_digest", "policy_id", "policy_version"];
const CALL_KEYS = ["arguments", "facts", "history_digest", "history_length", "policy_state", "roles"];
const STRICT_KEY = ["strict_sync"];
const RELEASE_KEYS = ["ending", "output", "policy_state", "roles"];

function readIntent(line: EventLine): LogEvent | undefined {
  const { correlationId, data } = line;
  if (data["session_end"] === true) {
    if (!hasKeys(data, ["session_end"]) || !correlationId.endsWith(":end") || correlationId.length < 5)
      return undefined;
    return { form: "session_end", session: correlationId.slice(0, -4) };
  }
  if (data["lost_calls"] !== undefined) return readLost(line);
  const key = readCallKey(correlationId);
  if (key === undefined || !hasKeys(data, INTENT_KEYS, SESSION_KEY)) return undefined;
  const intent = readInputs(line, key.release);
  if (intent === undefined) return undefined;
  if (key.release) return data["session"] === undefined ? { form: "release", key, intent } : undefined;
  const call = readCall(intent, data["session"]);
  return call === undefined ? undefined : { form: "call", key, intent: call };
}

function readLost({ correlationId, data }: EventLine): LogEvent | undefined {
  const found = /^(.+):lost:([1-9][0-9]{0,14})$/s.exec(correlationId);
  const [, stream, number] = found ?? [];
  const count = data["lost_calls"];
  if (stream === undefined || !isCount(count) || count === 0 || !hasKeys(data, ["lost_calls"]))
    return undefined;
  return { form: "lost", stream, number: Number(number), count };
}

function readInputs({ data, write }: EventLine, release: boolean): Intent | undefined {
  const { inputs, policy, tenant_id: tenant } = data;
  if (!isJsonMapping(inputs) || !isJsonMapping(policy) || typeof tenant !== "string") return undefined;
  const { policy_id: policyId, policy_version: policyVersion, policy_digest: policyDigest } = policy;
  if (typeof policyId !== "string" || typeof policyVersion !== "string") return undefined;
  if (!isHexDigest(policyDigest) || !hasKeys(policy, POLICY_KEYS)) return undefined;
  const { capability, extensions, intent_type: type, principal_id: principal } = inputs;
  if (!hasKeys(inputs, INPUT_KEYS, PRINCIPAL_KEY) || typeof capability !== "string") return undefined;
  if (!isJsonMapping(extensions) || type !== (release ? "tool.release" : "tool.call")) return undefined;
  const known = release ? hasKeys(extensions, RELEASE_KEYS) : hasKeys(extensions, CALL_KEYS, STRICT_KEY);
  const { roles, policy_state: policyState } = extensions;
  if (!known || !Array.isArray(roles) || typeof policyState !== "string") return undefined;
  if (principal !== undefined && typeof principal !== "string" && !isJsonMapping(principal)) return undefined;
  return {
    inputs,
    extensions,
    tool: capability,
    principal,
    roles,
    policyState,
    policy: { policyId, policyVersion, policyDigest },
    tenant,
    valueDigest: valueDigest(extensions[release ? "output" : "arguments"], write),
  };
}

/** The digest of a recorded value, where all of it or nothing but its digest is there. */
function valueDigest(value: unknown, write: EventLine["write"]): string | undefined {
  if (isJsonMapping(value) && typeof value["$digest"] === "string") return value["$digest"];
  const text = write(value);
  // No key of a user's begins like this: a `$` is doubled there, and in a text the quotes are escaped.
  return text.includes('{"$digest":"') ? undefined : sha256Hex(text);
}

function readCall(intent: Intent, session: unknown): CallIntent | undefined {
  const { extensions } = intent;
  const {
    facts,
    history_digest: historyDigest,
    history_length: historyLength,
    strict_sync: strict,
  } = extensions;
  if (!Array.isArray(facts) || !isHexDigest(historyDigest) || !isCount(historyLength)) return undefined;
  if (strict !== undefined && strict !== true) return undefined;
  if (session === undefined)
    return callOf(intent, facts, historyLength, historyDigest, undefined, NO_SESSIONS);
  if (!isJsonMapping(session) || !hasKeys(session, [], SESSION_KEYS)) return undefined;
  const { within, around = NO_SESSIONS } = session;
  if (within !== undefined && typeof within !== "string") return undefined;
  if (!isAround(around)) return undefined;
  return callOf(intent, facts, historyLength, historyDigest, within, around);
}

/** Puts a call together. Spreading the intent instead costs as much as parsing the line. */
function callOf(
  intent: Intent,
  facts: CallIntent["facts"],
  historyLength: number,
  historyDigest: string,
  within: string | undefined,
  around: CallIntent["around"],
): CallIntent {
  return {
    inputs: intent.inputs,
    extensions: intent.extensions,
    tool: intent.tool,
    principal: intent.principal,
    roles: intent.roles,
    policyState: intent.policyState,
    policy: intent.policy,
    tenant: intent.tenant,
    valueDigest: intent.valueDigest,
    facts,
    historyLength,
    historyDigest,
    within,
    around,
  };
}

function isAround(around: unknown): around is CallIntent["around"] {
  if (!Array.isArray(around)) return false;
  return around.every(
    (one: unknown) =>
      isJsonMapping(one) &&
      hasKeys(one, ["id", "mirrored"]) &&
      typeof one["id"] === "string" &&
      typeof one["mirrored"] === "boolean",
  );
}

const GATE_KEYS = ["decision", "reason_code"];
const MESSAGE_KEY = ["reason_message"];
const DECISION_KEYS = ["gate", "policy_id", "policy_version", "tenant_id"];

function readDecision({ correlationId, data }: EventLine): LogEvent | undefined {
  const key = readCallKey(correlationId);
  const { gate, policy_id: policyId, policy_version: policyVersion, tenant_id: tenant } = data;
  if (key === undefined || !hasKeys(data, DECISION_KEYS) || !isJsonMapping(gate)) return undefined;
  if (typeof policyId !== "string" || typeof policyVersion !== "string" || typeof tenant !== "string") {
    return undefined;
  }
  const { decision, reason_code: reason, reason_message: message } = gate;
  if (!hasKeys(gate, GATE_KEYS, MESSAGE_KEY) || typeof reason !== "string") return undefined;
  if (message !== undefined && typeof message !== "string") return undefined;
  if (decision !== (reason === "ok" ? "ALLOW" : "DENY") || !REASON_CODES.some((code) => code === reason)) {
    return undefined;
  }
  return { form: "decision", key, gate: { allow: reason === "ok", reason }, policyId, policyVersion, tenant };
}

function readProof({ correlationId, data, write }: EventLine): LogEvent | undefined {
  const key = readCallKey(correlationId);
  if (key === undefined) return undefined;
  if (!key.release) {
    const { arguments_digest: argumentsDigest } = data;
    if (!hasKeys(data, ["arguments_digest"]) || !isHexDigest(argumentsDigest)) return undefined;
    return { form: "proof", key, argumentsDigest };
  }
  const { released_digest: releasedDigest, transforms } = data;
  if (!hasKeys(data, ["released_digest", "transforms"]) || !isHexDigest(releasedDigest)) return undefined;
  if (!Array.isArray(transforms) || !transforms.every(isTransform)) return undefined;
  return { form: "release_proof", key, releasedDigest, transforms: write(transforms) };
}

function isTransform(transform: unknown): boolean {
  if (!isJsonMapping(transform) || !hasKeys(transform, ["action", "path"])) return false;
  return typeof transform["action"] === "string";
}

const EXECUTION_KEYS = ["arguments_digest", "output_digest", "trace_digest"];

function readExecution({ correlationId, data, trace }: EventLine): LogEvent | undefined {
  const key = readCallKey(correlationId);
  const { arguments_digest: argumentsDigest, output_digest: outputDigest } = data;
  if (key === undefined || key.release || !hasKeys(data, EXECUTION_KEYS) || !isJsonMapping(trace))
    return undefined;
  if (!isHexDigest(argumentsDigest) || !isHexDigest(outputDigest)) return undefined;
  const { success, failure_code: code } = trace;
  if (
    !hasKeys(trace, ["failure_code", "success"]) ||
    typeof success !== "boolean" ||
    typeof code !== "string"
  ) {
    return undefined;
  }
  return { form: "execution", key, argumentsDigest, outputDigest, success };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
