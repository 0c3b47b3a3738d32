/** `x` is a ratio taken inside one run. */
export type Unit = "ns" | "µs" | "ms" | "x" | "bytes" | "a second";

/** One number that a run of a case gives. Numbers of the same name from several runs belong together. */
export interface Figure {
  /** What was measured, as the table says it. */
  readonly what: string;
  readonly unit: Unit;
  readonly value: number;
  /** The goal; absent for numbers that are there to compare with. */
  readonly atMost?: number;
  /** The goal where more is better. */
  readonly atLeast?: number;
}

/** What every file in `cases/` exports. */
export interface Case {
  readonly measure: () => readonly Figure[] | Promise<readonly Figure[]>;
}

export function show(value: number, unit: Unit): string {
  switch (unit) {
    case "ns":
      return value < 10_000 ? `${value.toFixed(value < 10 ? 1 : 0)} ns` : show(value / 1000, "µs");
    case "µs":
      return value < 10_000 ? `${value.toFixed(value < 100 ? 1 : 0)} µs` : show(value / 1000, "ms");
    case "ms":
      return `${value.toFixed(value < 100 ? 2 : 0)} ms`;
    case "x":
      return `${value.toFixed(2)}x`;
    case "a second":
      return `${Math.round(value).toLocaleString("en-US")} a second`;
    case "bytes":
      if (value < 10_000) return `${Math.round(value)} B`;
      return value < 10_000_000
        ? `${(value / 1024).toFixed(0)} kB`
        : `${(value / 1024 / 1024).toFixed(0)} MB`;
  }
}
