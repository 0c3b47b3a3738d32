import { D2Error, InvalidSignatureError } from "d2-core/call";
import type { PolicyFacts } from "../setup/policy-facts.js";
import type { SourceNews } from "../source/policy-source.js";
import type { PolicyIdentity } from "./observation.js";
import type { PolicyMetrics } from "./policy-metrics.js";
import type { PolicySize } from "./policy-size.js";
import type { UsageEvents } from "./usage-events.js";

/** Failures one after another after which it is told that they go on. */
const STALE = 5;

export interface PolicyTelemetryOptions {
  readonly mode: "cloud" | "local";
  readonly usage: UsageEvents | undefined;
  readonly metrics: PolicyMetrics | undefined;
  /** Milliseconds since 1970; must not throw. */
  readonly clock: () => number;
}

/** Tells what becomes of the policy, and how asking for it goes. */
export class PolicyTelemetry {
  readonly #options: PolicyTelemetryOptions;
  #began = performance.now();
  #loads = 0;
  /** The policy in force. */
  identity: PolicyIdentity = { service: undefined, etag: undefined };

  constructor(options: PolicyTelemetryOptions) {
    this.#options = options;
  }

  /** A load begins. */
  loading(): void {
    this.#began = performance.now();
  }

  /** A policy is in force from now on. */
  adopted(policy: PolicyFacts, size: PolicySize): void {
    const { mode, metrics } = this.#options;
    const latency = performance.now() - this.#began;
    this.#loads += 1;
    this.identity = { service: policy.name, etag: policy.bundle?.etag };
    this.#tell("policy_loaded", {
      mode,
      load_latency_ms: Math.round(latency),
      tool_count: size.tools,
      role_count: size.roles,
      sequence_rule_count: size.sequenceRules,
      policy_etag: policy.bundle?.etag,
    });
    if (this.#loads > 1) this.#tell("policy_updated", { mode, tool_count: size.tools });
    metrics?.adopted(latency, policy.loadedAt, size.tools, this.#loads > 1);
  }

  /** There is no policy any more. */
  left(): void {
    this.identity = { service: undefined, etag: undefined };
    this.#options.metrics?.left();
  }

  /** A load has failed; what is in force stays. */
  failed(error: unknown): void {
    const { mode, metrics } = this.#options;
    const latency = performance.now() - this.#began;
    this.#tell("policy_load_failed", { mode, ...wordsOf(error), latency_ms: Math.round(latency) });
    metrics?.failed(latency);
  }

  /** Something has come of asking. */
  heard(news: SourceNews): void {
    this.#options.metrics?.heard(news);
    switch (news.kind) {
      case "answered":
        this.#tell("policy_poll", {});
        this.#tell("policy_poll_interval", { interval_seconds: news.pollSeconds });
        return;
      case "failed":
        this.#failedPoll(news);
        return;
      case "keys":
        this.#fetchedKeys(news);
        return;
    }
  }

  #failedPoll({ error, failures, retryAfter }: Extract<SourceNews, { kind: "failed" }>): void {
    const { code, message } = error;
    this.#tell("policy_poll", {});
    this.#tell("policy_poll_failure", { error: code, error_message: message, retry_after: retryAfter });
    if (error instanceof InvalidSignatureError) {
      const pinned = message.includes("pinJwksThumbprints");
      const reason = pinned ? "thumbprint_mismatch" : "jwt_signature_invalid";
      this.#tell("policy_verification_failed", { reason, error: message });
    }
    if (failures !== STALE) return;
    this.#tell("policy_poll_stale", { mode: this.#options.mode, consecutive_failures: failures });
  }

  #fetchedKeys(news: Extract<SourceNews, { kind: "keys" }>): void {
    const { ok, milliseconds, rotation, before, after } = news;
    const latency_ms = Math.round(milliseconds);
    const outcome = ok ? "success" : "failure";
    this.#tell("jwks_fetch", { status: outcome, latency_ms });
    if (rotation === undefined) return;
    const [old_kids, new_kids] = [before.slice(0, 20), after.slice(0, 20)];
    this.#tell("jwks_rotation", { rotation_id: rotation, old_kids, new_kids, latency_ms, outcome });
  }

  #tell(type: string, fields: object): void {
    const { usage, clock } = this.#options;
    usage?.happened(type, { at: clock(), policy: this.identity, fields });
  }
}

/** Of an error that is not this library's only its class is told: its message may say anything. */
function wordsOf(error: unknown): object {
  if (error instanceof D2Error) return { error_type: error.code, error_message: error.message.slice(0, 500) };
  return { error_type: error instanceof Error ? error.name.slice(0, 100) : typeof error };
}
