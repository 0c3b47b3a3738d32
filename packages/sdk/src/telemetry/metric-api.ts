/** The parts of `@opentelemetry/api` that are used, so that nobody needs it who does not use it. */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

/** Given to a callback, for it to say how much there is now. */
export interface ObservableResult {
  observe(value: number, attributes?: Attributes): void;
}

export interface Observable {
  addCallback(callback: (result: ObservableResult) => void): void;
  removeCallback(callback: (result: ObservableResult) => void): void;
}

interface InstrumentOptions {
  readonly unit: string;
}

export interface Meter {
  createCounter(name: string, options?: InstrumentOptions): Counter;
  createHistogram(name: string, options?: InstrumentOptions): Histogram;
  createObservableUpDownCounter(name: string, options?: InstrumentOptions): Observable;
}

export interface Span {
  end(at?: number): void;
}

export interface Tracer {
  startSpan(name: string, options?: { readonly attributes?: Attributes; readonly startTime?: number }): Span;
}
