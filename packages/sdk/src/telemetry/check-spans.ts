import type { Attributes, Tracer } from "./metric-api.js";
import type { CallObserver, Observation } from "./observation.js";

/** Makes a span of each decision, below the one that is active where the call was made. */
export class CheckSpans implements CallObserver {
  readonly #tracer: Tracer;
  readonly #mode: string;

  constructor(tracer: Tracer, mode: string) {
    this.#tracer = tracer;
    this.#mode = mode;
  }

  decided({ tool, decision, began, decided }: Observation): void {
    const { outcome, reason, rule } = decision;
    const attributes: Attributes = {
      "d2.tool_id": tool,
      "d2.result": outcome === "deny" ? "denied" : "allowed",
      "d2.reason": reason,
      "d2.mode": this.#mode,
      ...(rule === undefined ? {} : { "d2.rule": rule }),
    };
    // Numbers of `performance.now` are times that OpenTelemetry knows to read.
    this.#tracer.startSpan(`d2.check:${tool}`, { attributes, startTime: began }).end(decided);
  }

  ended(): void {
    // The span is that of the decision, and over.
  }
}
