import { createRequire } from "node:module";
import type { Meter, Tracer } from "./metric-api.js";
import { type Lease, leaseProvider } from "./private-provider.js";

const require = createRequire(import.meta.url);

/** Name of the meter and of the tracer. */
const NAME = "d2.sdk";

/** What there is to tell OpenTelemetry by. */
export interface OpenTelemetry {
  readonly meter: Meter | undefined;
  readonly tracer: Tracer | undefined;
  /** Of the provider that is this library's own; undefined: there is none. */
  readonly lease: Lease | undefined;
}

/** The parts of the module `@opentelemetry/api` that are used. */
interface Api {
  readonly metrics: { getMeterProvider(): { getMeter(name: string): Meter } };
  readonly trace: {
    getTracerProvider(): {
      getTracer(name: string): Tracer;
      /** Only of the stand-in that is there before and instead of a real provider; undefined: none. */
      getDelegateTracer?(name: string): Tracer | undefined;
    };
  };
  createNoopMeter(): Meter;
}

/**
 * Looks for what the app has set up, now. Without a meter provider of the app's it may be one of this library's own.
 *
 * @param exports whether metrics are wanted where the app has no provider
 */
export function openTelemetry(exports: boolean): OpenTelemetry {
  const api = loadApi();
  const meter = api === undefined ? undefined : meterOf(api);
  const tracer = api === undefined ? undefined : tracerOf(api);
  const lease = meter === undefined && exports ? leaseProvider() : undefined;
  return { meter: meter ?? lease?.meter(NAME), tracer, lease };
}

function loadApi(): Api | undefined {
  try {
    // The package's own types are not used, so that it need not be there; this is its interface since 1.3.
    return require("@opentelemetry/api") as Api;
  } catch {
    return undefined;
  }
}

function meterOf(api: Api): Meter | undefined {
  const meter = api.metrics.getMeterProvider().getMeter(NAME);
  // Without a provider every meter is this one.
  return meter === api.createNoopMeter() ? undefined : meter;
}

function tracerOf({ trace }: Api): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider.getDelegateTracer === undefined
    ? provider.getTracer(NAME)
    : provider.getDelegateTracer(NAME);
}
