import { createRequire } from "node:module";
import type { Meter } from "./metric-api.js";

const require = createRequire(import.meta.url);

/** A share in the provider. */
export interface Lease {
  meter(name: string): Meter;
  /** Has what was measured sent. Never rejects. */
  flush(): Promise<void>;
  /** Gives the share back; with the last one the provider sends what it has and ends. Never rejects. */
  end(): Promise<void>;
}

interface Provider {
  getMeter(name: string): Meter;
  forceFlush(options?: { readonly timeoutMillis?: number }): Promise<void>;
  shutdown(options?: { readonly timeoutMillis?: number }): Promise<void>;
}

/** Milliseconds that sending may take at the end. */
const LIMIT = 2000;

/** The provider of this library's own while anyone has a share in it, so that each series has one source. */
let shared: { readonly provider: Provider; shares: number } | undefined;

/** A share in a provider of this library's own, never registered; undefined: the packages for it are not there. */
export function leaseProvider(): Lease | undefined {
  shared ??= startProvider();
  if (shared === undefined) return undefined;
  const own = shared;
  own.shares += 1;
  let ended = false;
  return {
    meter: (name) => own.provider.getMeter(name),
    flush: () => inTime(() => own.provider.forceFlush({ timeoutMillis: LIMIT })),
    end: async () => {
      if (ended) return;
      ended = true;
      own.shares -= 1;
      if (own.shares > 0) return;
      if (shared === own) shared = undefined;
      await inTime(() => own.provider.shutdown({ timeoutMillis: LIMIT }));
    },
  };
}

function startProvider(): typeof shared {
  try {
    // Neither package is among the dependencies: whoever wants this installs them.
    const metrics = require("@opentelemetry/sdk-metrics");
    const { OTLPMetricExporter } = require("@opentelemetry/exporter-metrics-otlp-http");
    const reader = new metrics.PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() });
    const provider: Provider = new metrics.MeterProvider({ readers: [reader], resource: namedResource() });
    return { provider, shares: 0 };
  } catch {
    return undefined;
  }
}

/** What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say; undefined: as the provider has it by itself. */
function namedResource(): unknown {
  try {
    const beside = createRequire(require.resolve("@opentelemetry/sdk-metrics"));
    const { defaultResource, detectResources, envDetector } = beside("@opentelemetry/resources");
    return defaultResource().merge(detectResources({ detectors: [envDetector] }));
  } catch {
    return undefined;
  }
}

/** A collector that does not answer must not delay the end. */
async function inTime(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LIMIT);
  });
  try {
    await Promise.race([work(), limit]);
  } catch {
    // What could not be sent is lost, as it is with any other exporter.
  } finally {
    clearTimeout(timer);
  }
}
