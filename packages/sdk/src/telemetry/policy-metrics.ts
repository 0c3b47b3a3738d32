import type { SourceNews } from "../source/policy-source.js";
import type { Attributes, Counter, Histogram, Meter, Observable, ObservableResult } from "./metric-api.js";

/** Metrics of the policy: its loads, its age, and how asking for it goes. */
export class PolicyMetrics {
  readonly #mode: "cloud" | "local";
  /** Of the instance, for the values that exist once an instance. */
  readonly #instance: Attributes;
  readonly #load: Histogram;
  readonly #reload: Counter;
  readonly #poll: Counter;
  readonly #updated: Counter;
  readonly #failure: Counter;
  readonly #stale: Counter;
  readonly #keyLatency: Histogram;
  readonly #rotation: Counter;
  readonly #watched: (() => void)[] = [];
  #loadedAt: number | undefined;
  #tools: number | undefined;
  #pollSeconds: number | undefined;

  /**
   * @param instance undefined: the default one
   * @param collecting called before values are collected
   */
  constructor(
    meter: Meter,
    options: {
      readonly mode: "cloud" | "local";
      readonly clock: () => number;
      readonly instance: string | undefined;
      readonly collecting: () => void;
    },
  ) {
    const { mode, clock, instance, collecting } = options;
    this.#mode = mode;
    this.#instance = instance === undefined ? {} : { instance };
    const counter = (name: string) => meter.createCounter(name, { unit: "1" });
    const gauge = (name: string, unit: string) => meter.createObservableUpDownCounter(name, { unit });
    this.#load = meter.createHistogram("d2.policy.load.latency.ms", { unit: "ms" });
    this.#reload = counter("d2.policy.file_reload.total");
    this.#poll = counter("d2.policy.poll.total");
    this.#updated = counter("d2.policy.poll.updated");
    this.#failure = counter("d2.policy.poll.failure.total");
    this.#stale = counter("d2.policy.poll.stale.total");
    this.#keyLatency = meter.createHistogram("d2.jwks.fetch.latency.ms", { unit: "ms" });
    this.#rotation = counter("d2.jwks.rotation.total");
    this.#watch(gauge("d2.policy.bundle.age.seconds", "s"), () => {
      collecting();
      return mode === "local" || this.#loadedAt === undefined ? undefined : (clock() - this.#loadedAt) / 1000;
    });
    this.#watch(gauge("d2.policy.poll.interval.seconds", "s"), () => this.#pollSeconds);
    this.#watch(gauge("d2.policy.local.tool_count", "1"), () => (mode === "local" ? this.#tools : undefined));
  }

  adopted(latency: number, loadedAt: number, tools: number, again: boolean): void {
    const mode = this.#mode;
    this.#loadedAt = loadedAt;
    this.#tools = tools;
    this.#load.record(latency, { mode });
    if (again && mode === "local") this.#reload.add(1, { mode });
  }

  left(): void {
    this.#loadedAt = undefined;
    this.#tools = undefined;
  }

  failed(latency: number): void {
    this.#load.record(latency, { mode: this.#mode, error: "1" });
  }

  heard(news: SourceNews): void {
    const mode = this.#mode;
    if (news.kind === "keys") {
      this.#fetchedKeys(news);
      return;
    }
    this.#poll.add(1, { mode });
    if (news.kind === "failed") {
      this.#failure.add(1);
      if (news.failures === 5) this.#stale.add(1, { mode });
      return;
    }
    this.#pollSeconds = news.pollSeconds;
    if (news.outcome === "bundle") this.#updated.add(1, { mode });
  }

  /** Ends the values that are asked for. */
  close(): void {
    for (const end of this.#watched) end();
    this.#watched.length = 0;
  }

  #fetchedKeys({ ok, milliseconds, rotation }: Extract<SourceNews, { kind: "keys" }>): void {
    const outcome = ok ? "success" : "failure";
    const rotation_triggered = rotation === undefined ? "false" : "true";
    const attributes = {
      outcome,
      rotation_triggered,
      ...(rotation === undefined ? {} : { rotation_id: rotation }),
    };
    this.#keyLatency.record(milliseconds, attributes);
    if (rotation !== undefined) this.#rotation.add(1, attributes);
  }

  #watch(observable: Observable, value: () => number | undefined): void {
    const callback = (result: ObservableResult): void => {
      const now = value();
      if (now !== undefined) result.observe(now, this.#instance);
    };
    observable.addCallback(callback);
    this.#watched.push(() => observable.removeCallback(callback));
  }
}
