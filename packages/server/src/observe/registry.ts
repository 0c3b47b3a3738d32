// A small registry of metrics that writes the Prometheus text format, version 0.0.4.

const SEPARATOR = "\u0000";

/** What a metric adds to the page. */
interface Metric {
  readonly name: string;
  lines(): string[];
}

function escapedLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function labelText(names: readonly string[], key: string, extra = ""): string {
  const values = key.split(SEPARATOR);
  const pairs = names.map((name, at) => `${name}="${escapedLabel(values[at] ?? "")}"`);
  if (extra !== "") pairs.push(extra);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function heading(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

/** A number that only grows, one for each combination of label values. */
export class Counter implements Metric {
  readonly name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string, labels: readonly string[]) {
    this.name = name;
    this.#help = help;
    this.#labels = labels;
    if (labels.length === 0) this.#values.set("", 0);
  }

  /** @param labels values in the order of the label names; never anything that a caller can choose freely */
  add(amount: number, ...labels: readonly string[]): void {
    const key = labels.join(SEPARATOR);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  value(...labels: readonly string[]): number {
    return this.#values.get(labels.join(SEPARATOR)) ?? 0;
  }

  lines(): string[] {
    return [
      ...heading(this.name, this.#help, "counter"),
      ...[...this.#values].map(([key, value]) => `${this.name}${labelText(this.#labels, key)} ${value}`),
    ];
  }
}

/** A number that is asked for when the page is written. */
class Gauge implements Metric {
  readonly name: string;
  readonly #help: string;
  readonly #read: () => number;

  constructor(name: string, help: string, read: () => number) {
    this.name = name;
    this.#help = help;
    this.#read = read;
  }

  lines(): string[] {
    return [...heading(this.name, this.#help, "gauge"), `${this.name} ${this.#read()}`];
  }
}

interface Distribution {
  /** Observations in each bucket alone; the last is beyond all bounds. */
  readonly counts: number[];
  sum: number;
}

/** How values are spread over buckets. */
export class Histogram implements Metric {
  readonly name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #bounds: readonly number[];
  readonly #values = new Map<string, Distribution>();

  constructor(name: string, help: string, labels: readonly string[], bounds: readonly number[]) {
    this.name = name;
    this.#help = help;
    this.#labels = labels;
    this.#bounds = bounds;
  }

  observe(value: number, ...labels: readonly string[]): void {
    const key = labels.join(SEPARATOR);
    let distribution = this.#values.get(key);
    if (distribution === undefined) {
      distribution = { counts: [...this.#bounds, 0].map(() => 0), sum: 0 };
      this.#values.set(key, distribution);
    }
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
    distribution.counts[at] = (distribution.counts[at] ?? 0) + 1;
    distribution.sum += value;
  }

  lines(): string[] {
    const lines = heading(this.name, this.#help, "histogram");
    for (const [key, { counts, sum }] of this.#values) {
      let total = 0;
      counts.forEach((count, at) => {
        total += count;
        const bound = this.#bounds[at] ?? "+Inf";
        lines.push(`${this.name}_bucket${labelText(this.#labels, key, `le="${bound}"`)} ${total}`);
      });
      lines.push(`${this.name}_sum${labelText(this.#labels, key)} ${sum}`);
      lines.push(`${this.name}_count${labelText(this.#labels, key)} ${total}`);
    }
    return lines;
  }
}

/** Makes metrics and writes them all. Names are unique; a name that is there already gives the metric there. */
export class Registry {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#add(new Counter(name, help, labels), Counter);
  }

  histogram(name: string, help: string, labels: readonly string[], bounds: readonly number[]): Histogram {
    return this.#add(new Histogram(name, help, labels, bounds), Histogram);
  }

  gauge(name: string, help: string, read: () => number): void {
    this.#add(new Gauge(name, help, read), Gauge);
  }

  /** The whole page. */
  text(): string {
    return `${[...this.#metrics.values()].flatMap((metric) => metric.lines()).join("\n")}\n`;
  }

  #add<T extends Metric>(metric: T, kind: new (...parts: never[]) => T): T {
    const there = this.#metrics.get(metric.name);
    if (there instanceof kind) return there;
    if (there !== undefined)
      throw new Error(`the metric \`${metric.name}\` is there already, of another kind`);
    this.#metrics.set(metric.name, metric);
    return metric;
  }
}
