import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { checkDocument, compilePlan, decideRelease } from "d2-core";
import type { Figure } from "../figure.js";
import { timeSideBySide } from "../timing.js";

type Redactor = (options: object) => (value: object) => unknown;

const require = createRequire(import.meta.url);
// Both peers are CommonJS functions; what they take is written at their use below.
const pinoRedact = require("@pinojs/redact") as Redactor;
const fastRedact = require("fast-redact") as Redactor;

interface Row {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly ssn: string;
  readonly salary: number;
  readonly notes: string;
  readonly city: string;
  readonly active: boolean;
  readonly score: number;
}

function rows(count: number): { records: Row[] } {
  return {
    records: Array.from({ length: count }, (_, n) => ({
      id: n,
      name: `Person ${n}`,
      email: `p${n}@mail.example`,
      ssn: `900-10-${1000 + (n % 9000)}`,
      salary: 50_000 + (n % 100) * 1000,
      notes: `a note of some length about person ${n}`,
      city: "Springfield",
      active: n % 2 === 0,
      score: n / 7,
    })),
  };
}

/** 2 filter, 1 redact, 1 conditional redact, 1 truncate. */
const RULES = {
  "records.ssn": { action: "filter" },
  "records.email": { action: "filter" },
  "records.city": { action: "redact" },
  "records.salary": { max: 100_000, action: "redact" },
  "records.notes": { maxLength: 20, action: "truncate" },
};

/** The same paths, of which nothing is there to change. */
const QUIET = {
  "records.ssn": { matches: "never", action: "redact" },
  "records.email": { matches: "never", action: "redact" },
  "records.city": { in: ["Nowhere"], action: "redact" },
  "records.salary": { max: 1_000_000, action: "redact" },
  "records.notes": { maxLength: 2000, action: "truncate" },
};

const PATHS = [
  "records[*].ssn",
  "records[*].email",
  "records[*].city",
  "records[*].salary",
  "records[*].notes",
];

/** What the rules do, done with redact: it removes two paths, and asks a function about three. */
function sameWithRedact(): (value: object) => unknown {
  const remove = pinoRedact({
    paths: ["records[*].ssn", "records[*].email"],
    remove: true,
    serialize: false,
  });
  const change = pinoRedact({
    paths: ["records[*].city", "records[*].salary", "records[*].notes"],
    serialize: false,
    censor: (value: unknown, path: readonly string[]) => {
      const key = path.at(-1);
      if (key === "salary") return Number(value) > 100_000 ? "[REDACTED]" : value;
      return key === "notes" ? String(value).slice(0, 20) : "[REDACTED]";
    },
  });
  return (value) => change(remove(value) as object);
}

function outputPlan(output: object) {
  const { document } = checkDocument({
    policies: [{ role: "a", permissions: [{ tool: "t", conditions: { output } }] }],
  });
  if (document === undefined) throw new Error("the policy of the benchmark does not load");
  return compilePlan(document).view(["a"]).entry("t").output;
}

/** What inspection cannot do without: each property of each object, by its descriptor. */
function walkDescriptors(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let seen = 0;
  const descriptors = Object.getOwnPropertyDescriptors(value);
  for (const key of Reflect.ownKeys(descriptors)) {
    const descriptor: PropertyDescriptor | undefined = Reflect.get(descriptors, key);
    seen += walkDescriptors(descriptor?.value);
  }
  return seen;
}

function times(step: () => unknown): (count: number) => unknown {
  return (count) => {
    let last: unknown;
    for (let n = 0; n < count; n += 1) last = step();
    return last;
  };
}

export function measure(): Figure[] {
  const plan = outputPlan(RULES);
  const quiet = outputPlan(QUIET);
  const pino = pinoRedact({ paths: PATHS, censor: "[REDACTED]", serialize: false });
  const same = sameWithRedact();
  const few = rows(5);
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(same(few))), decideRelease(plan, few).value)) {
    throw new Error("the results are not the same");
  }
  const figures: Figure[] = [];
  for (const count of [100, 1000, 10_000]) {
    const value = rows(count);
    // It changes its input and changes it back, so it gets a copy of its own.
    const fast = fastRedact({ paths: PATHS, censor: "[REDACTED]", serialize: false });
    const own = structuredClone(value);
    if (decideRelease(quiet, value).value !== value)
      throw new Error("nothing fires, yet another object came back");
    const ns = timeSideBySide({
      ours: times(() => decideRelease(plan, value)),
      quiet: times(() => decideRelease(quiet, value)),
      same: times(() => same(value)),
      pino: times(() => pino(value)),
      fast: times(() => {
        const redacted = fast(own);
        Reflect.get(own, "restore")?.call(own);
        return redacted;
      }),
      walk: times(() => walkDescriptors(value)),
    });
    figures.push(
      {
        what: `5 rules on ${count} records, beside @pinojs/redact with the same result`,
        unit: "x",
        value: ns.ours / ns.same,
        atMost: 0.6,
      },
      {
        what: `the same, beside @pinojs/redact putting a constant at the 5 paths`,
        unit: "x",
        value: ns.ours / ns.pino,
        atMost: 0.6,
      },
      {
        what: `nothing fires on ${count} records, beside a walk over descriptors`,
        unit: "x",
        value: ns.quiet / ns.walk,
        atMost: 1.5,
      },
      { what: `5 rules on ${count} records, a record`, unit: "ns", value: ns.ours / count },
      {
        what: `fast-redact, a constant at the 5 paths, in place and back, a record`,
        unit: "ns",
        value: ns.fast / count,
      },
    );
  }
  return figures;
}
