import { type Counter, type Histogram, Registry } from "./registry.js";

const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the server counts. More can be made with `registry`. */
export interface Metrics {
  readonly registry: Registry;
  /** By route pattern and status. */
  readonly requests: Counter;
  /** Seconds, by route pattern. */
  readonly latency: Histogram;
  /** Usage events that were stored. */
  readonly eventsAccepted: Counter;
  /** Answers to bundle reads, by status. */
  readonly bundleAnswers: Counter;
  /** Requests that were refused for their rate, by what was limited: `address`, `token`, `authentication`. */
  readonly rateLimited: Counter;
  /** Requests without a valid token. */
  readonly authenticationFailures: Counter;
}

/** @param started when the process began, milliseconds */
export function createMetrics(started: number): Metrics {
  const registry = new Registry();
  registry.gauge("process_start_time_seconds", "When the server began, in Unix time.", () => started / 1000);
  registry.gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  registry.gauge("nodejs_heap_used_bytes", "Used heap.", () => process.memoryUsage().heapUsed);
  return {
    registry,
    requests: registry.counter("d2_http_requests_total", "Answered requests.", ["route", "status"]),
    latency: registry.histogram(
      "d2_http_request_seconds",
      "Time from the request's headers to its answer.",
      ["route"],
      LATENCY_SECONDS,
    ),
    eventsAccepted: registry.counter("d2_events_accepted_total", "Usage events that were stored."),
    bundleAnswers: registry.counter("d2_bundle_answers_total", "Answers to bundle reads.", ["status"]),
    rateLimited: registry.counter("d2_rate_limited_total", "Requests refused for their rate.", ["limit"]),
    authenticationFailures: registry.counter(
      "d2_authentication_failures_total",
      "Requests without a valid token.",
    ),
  };
}
