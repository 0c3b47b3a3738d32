import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { configureRbac, d2Guard, type RbacOptions, runAs, shutdownAllRbac } from "d2-sdk";
import { startControlPlane } from "../cloud/control-plane.js";
import type { Figure } from "../figure.js";
import { ROLE, silent } from "../policies.js";
import { quantile, results } from "../timing.js";

const TOOLS = ["search", "read", "summarize", "write", "list"];

/** Calls of a session, as one request of an agent makes them. */
const CALLS = 5;
/** Sessions before the event loop turns, so that what waits in the buffer can be sent. */
const SESSIONS = 20;
const WARM_UP = 3000;
const ROUNDS = 6000;

const POLICY = { metadata: { name: "bench" }, policies: [{ role: ROLE, permissions: TOOLS }] };

/** Makes the calls of some sessions through the guards of a new instance. */
async function caller(instance: string, options: RbacOptions): Promise<() => number> {
  await configureRbac({ instance, logger: silent, ...options });
  const guards = TOOLS.map((tool) => d2Guard(tool, { instance }, (n: number) => n));
  const session = (): number => {
    let sum = 0;
    for (let call = 0; call < CALLS; call += 1) sum += guards[call]?.(call) ?? 0;
    return sum;
  };
  return () => {
    let sum = 0;
    for (let n = 0; n < SESSIONS; n += 1) sum += runAs("alice-123", { roles: [ROLE] }, session);
    return sum;
  };
}

/** Nanoseconds of a call, by name: what a quarter of the bursts stayed below. */
async function timed<Name extends string>(
  callers: Readonly<Record<Name, () => number>>,
): Promise<Readonly<Record<Name, number>>> {
  const runs = Object.entries<() => number>(callers).map(([name, call]) => ({
    name,
    call,
    taken: [] as number[],
  }));
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    for (const { call, taken } of runs) {
      const begin = performance.now();
      results[0] = call();
      const spent = performance.now() - begin;
      if (round >= WARM_UP) taken.push((spent * 1e6) / (SESSIONS * CALLS));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const entries = runs.map(({ name, taken }) => [name, quantile(taken, 0.25)]);
  // The runs are those of the callers that were given, so every name is there.
  return Object.fromEntries(entries) as Record<Name, number>;
}

export async function measure(): Promise<Figure[]> {
  // Without an end of bundles, which guards would look at the clock for.
  const plane = await startControlPlane({ environment: { D2_SERVER_BUNDLE_LIFETIME_SECONDS: "0" } });
  try {
    await plane.publish("bench", JSON.stringify(POLICY));
    process.env["D2_STATE_PATH"] = ":memory:";
    const cloud = { token: plane.tokens.runtime, apiUrl: plane.url };
    const without = await caller("without", { policy: POLICY });
    const off = await caller("off", { ...cloud, telemetry: "off" });
    const all = await caller("all", { ...cloud, telemetry: "all" });
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const metered = await caller("metered", { ...cloud, telemetry: "all" });
    const ns = await timed({ without, off, all, metered });
    await shutdownAllRbac();
    return [
      {
        what: "a guarded call with telemetry `all`, its events buffered: added over `off`",
        unit: "ns",
        value: ns.all - ns.off,
        atMost: 1000,
      },
      {
        what: "the same in an app that has a meter provider",
        unit: "ns",
        value: ns.metered - ns.off,
        atMost: 1000,
      },
      {
        what: "with telemetry `off`: added over an instance that has no control plane to tell",
        unit: "ns",
        value: ns.off - ns.without,
        atMost: 10,
      },
      {
        what: "a guarded call with telemetry `off`, its share of `runAs` included",
        unit: "ns",
        value: ns.off,
      },
    ];
  } finally {
    await plane.stop();
  }
}
