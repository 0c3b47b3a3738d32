import type { CloudSettings } from "../cloud/cloud-settings.js";
import type { Recorder } from "../log/recorder.js";
import type { Later } from "../setup/expiry-warnings.js";
import type { Logger } from "../setup/logger.js";
import type { PolicyFacts } from "../setup/policy-facts.js";
import { atProcessEnd } from "../setup/process-end.js";
import { DEFAULT_INSTANCE } from "../setup/registry.js";
import type { PolicySource } from "../source/policy-source.js";
import { Sampling } from "./account-facts.js";
import { CallMetrics } from "./call-metrics.js";
import { CheckSpans } from "./check-spans.js";
import { EventBuffer } from "./event-buffer.js";
import { EventSender } from "./event-sender.js";
import { EventWriter } from "./event-text.js";
import type { CallObserver } from "./observation.js";
import { type OpenTelemetry, openTelemetry } from "./open-telemetry.js";
import { PolicyMetrics } from "./policy-metrics.js";
import type { PolicySize } from "./policy-size.js";
import { PolicyTelemetry } from "./policy-telemetry.js";
import type { TelemetryPlan } from "./telemetry-options.js";
import { lossEvent, UsageEvents } from "./usage-events.js";
import { Witness } from "./witness.js";

/** Most events that are kept. */
const CAPACITY = 1000;

/** What telemetry needs to know of an instance. */
export interface InstanceOfTelemetry {
  readonly instance: string;
  readonly source: PolicySource;
  readonly clock: () => number;
  readonly logger: Logger;
  readonly cloud?: CloudSettings | undefined;
  readonly telemetry?: TelemetryPlan | undefined;
}

/** What tests set. */
export interface TelemetryTools {
  readonly random?: () => number;
  readonly later?: Later;
}

const systemLater: Later = (milliseconds, work) => {
  const timer = setTimeout(work, milliseconds).unref();
  return () => clearTimeout(timer);
};

/** What one instance tells of itself: usage events to its control plane, and metrics and spans to OpenTelemetry. */
export class Telemetry {
  readonly #clock: () => number;
  readonly #sender: EventSender | undefined;
  readonly #calls: CallMetrics | undefined;
  readonly #policy: PolicyTelemetry;
  readonly #policyMetrics: PolicyMetrics | undefined;
  readonly #lease: OpenTelemetry["lease"];
  readonly #observers: readonly CallObserver[];
  #callOffEnd: (() => void) | undefined;
  #witness: Witness | undefined;
  /** Whether anything has happened since the process was about to end last. */
  #news = true;

  constructor(plan: TelemetryPlan, telemetry: OpenTelemetry, of: InstanceOfTelemetry, tools: TelemetryTools) {
    const { random = Math.random, later = systemLater } = tools;
    const { cloud, logger, instance } = of;
    const clock = reliable(of.clock);
    this.#clock = clock;
    const mode = cloud === undefined ? "local" : "cloud";
    const { meter, tracer, lease } = telemetry;
    this.#lease = lease;
    let usage: UsageEvents | undefined;
    if (plan.usage && cloud !== undefined) {
      const buffer = new EventBuffer(CAPACITY);
      const writer = new EventWriter(plan.hashUserIds, () => sender.interval);
      const sampling = new Sampling(random);
      const sender: EventSender = new EventSender(buffer, {
        apiUrl: cloud.apiUrl,
        token: cloud.token,
        logger,
        clock,
        random,
        later,
        follow: (account) => sampling.follow(account.sample),
        lossEvent: (losses) => lossEvent(writer, clock(), this.#policy.identity, losses),
      });
      this.#sender = sender;
      usage = new UsageEvents(buffer, { sampling, writer, mode }, () => this.#notice());
    }
    if (meter !== undefined) {
      const users = plan.userIdsInMetrics ? (plan.hashUserIds ? "hashed" : "plain") : undefined;
      const calls = new CallMetrics(meter, { mode, later, users });
      this.#calls = calls;
      this.#policyMetrics = new PolicyMetrics(meter, {
        mode,
        clock,
        instance: instance === DEFAULT_INSTANCE ? undefined : instance,
        collecting: () => calls.drain(),
      });
    }
    const spans = tracer === undefined ? undefined : new CheckSpans(tracer, mode);
    this.#observers = [usage, this.#calls, spans].filter((it) => it !== undefined);
    this.#policy = new PolicyTelemetry({ mode, usage, metrics: this.#policyMetrics, clock });
    of.source.observe?.((news) => this.#safely(() => this.#policy.heard(news)));
    if (this.#sender !== undefined || lease !== undefined) {
      this.#callOffEnd = atProcessEnd("beforeExit", () => this.#lastCall());
    }
  }

  /** What the guards of the instance tell of their calls. */
  witness(recorder: Recorder | undefined): Witness {
    this.#witness = new Witness(this.#observers, recorder, this.#clock);
    this.#witness.policy = this.#policy.identity;
    return this.#witness;
  }

  /** A load of the policy begins. */
  loading(): void {
    this.#policy.loading();
  }

  adopted(policy: PolicyFacts, size: PolicySize): void {
    this.#safely(() => this.#policy.adopted(policy, size));
  }

  /** There is no policy any more. */
  left(): void {
    this.#safely(() => this.#policy.left());
  }

  /** A load has failed. */
  failed(error: unknown): void {
    this.#safely(() => this.#policy.failed(error));
  }

  /** Sends what is left, within two seconds, and ends. Never rejects. */
  async close(): Promise<void> {
    this.#callOffEnd?.();
    this.#safely(() => this.#calls?.drain());
    this.#policyMetrics?.close();
    await Promise.all([this.#sender?.close(), this.#lease?.end()]);
  }

  #notice(): void {
    this.#news = true;
    this.#sender?.notice();
  }

  /** INVARIANT: whatever telemetry fails at, nobody notices. */
  #safely(work: () => void): void {
    try {
      work();
    } catch {
      // Nothing depends on it.
    }
    if (this.#witness !== undefined) this.#witness.policy = this.#policy.identity;
  }

  /** The process has nothing left to do. What is done here makes that happen again, so it is done once. */
  #lastCall(): void {
    const news = this.#calls?.drain() === true || this.#news;
    this.#news = false;
    if (!news) return;
    void this.#sender?.flush();
    void this.#lease?.flush();
  }
}

/** Undefined: there is nobody to tell anything. */
export function startTelemetry(of: InstanceOfTelemetry, tools: TelemetryTools = {}): Telemetry | undefined {
  const { telemetry: plan, cloud } = of;
  if (plan === undefined) return undefined;
  const none = { meter: undefined, tracer: undefined, lease: undefined };
  const found = plan.metrics ? openTelemetry(plan.exports) : none;
  const usage = plan.usage && cloud !== undefined;
  if (!usage && found.meter === undefined && found.tracer === undefined) return undefined;
  return new Telemetry(plan, found, of, tools);
}

/** The same clock, where it tells a time; else the system's. */
function reliable(clock: () => number): () => number {
  return () => {
    try {
      const now = clock();
      if (Math.abs(now) <= 8.64e15) return now;
    } catch {
      // As when it tells no time.
    }
    return Date.now();
  };
}
