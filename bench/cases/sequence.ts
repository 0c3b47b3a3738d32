import { configureRbac, d2Guard, runAs } from "d2-sdk";
import type { Figure } from "../figure.js";
import { largePolicy, type PolicyExtras, ROLE, silent } from "../policies.js";
import { median, quantile, results } from "../timing.js";

const HISTORIES = [10, 10_000, 100_000] as const;

/** Calls timed at a stretch. Few, so that a history of ten stays a short one. */
const STRETCH = 20;

/** Stretches timed for one history and one set of rules in a round, and rounds. */
const STRETCHES = 400;
const ROUNDS = 15;

type Tool = (value: number) => number;

const GROUPS = {
  customers: ["crm.read", "crm.list", "crm.search"],
  secrets: ["vault.read", "vault.list"],
  egress: ["mail.send", "web.post", "chat.send"],
  cleaning: ["text.redact", "text.summarize"],
  money: ["pay.send", "pay.refund"],
  untrusted: ["web.fetch", "inbox.read"],
};

const DENY = [
  { deny: ["@customers", "web.post"] },
  { deny: ["@secrets", "@egress"] },
  { deny: ["@untrusted", "@money"] },
  { deny: ["@secrets", "@untrusted", "admin.*"] },
  { deny: ["@customers", "@customers", "pay.refund"] },
];

const ALLOW = [
  { allow: ["@customers", "text.redact", "web.post"] },
  { allow: ["@untrusted", "text.summarize", "pay.send"] },
];

/** Mixed calls that the deny rules follow and do not stop. */
const MIXED = [
  "crm.read",
  "log.write",
  "text.redact",
  "web.fetch",
  "crm.list",
  "text.summarize",
  "mail.send",
  "db.count",
];

/** Calls of which every third is stopped unless an allow rule excuses it. */
const EXCUSED = [
  "crm.read",
  "text.redact",
  "web.post",
  "web.fetch",
  "text.summarize",
  "pay.send",
  "crm.list",
  "text.redact",
];

interface Workload {
  readonly tools: readonly Tool[];
  readonly history: number;
  readonly taken: number[];
}

export async function measure(): Promise<Figure[]> {
  const permissions = [...new Set([...Object.values(GROUPS).flat(), ...MIXED, ...EXCUSED, "admin.reset"])];
  const load = (instance: string, rules: PolicyExtras): Promise<unknown> => {
    const policy = largePolicy({ permissions, metadata: { tool_groups: GROUPS }, ...rules });
    return configureRbac({ instance, policy, logger: silent });
  };
  await load("none", {});
  await load("deny", { sequence: DENY });
  await load("both", { sequence: [...DENY, ...ALLOW] });
  const workloads = (instance: string, names: readonly string[]): Workload[] => {
    const tools = names.map((name) => d2Guard(name, { instance }, (value: number) => value + 1));
    return HISTORIES.map((history) => ({ tools, history, taken: [] }));
  };
  const none = workloads("none", MIXED);
  const deny = workloads("deny", MIXED);
  const plain = workloads("none", EXCUSED);
  const both = workloads("both", EXCUSED);
  const all = [...none, ...deny, ...plain, ...both];
  for (const workload of all) round(workload);
  for (const { taken } of all) taken.length = 0;
  for (let number = 0; number < ROUNDS; number += 1) for (const workload of all) round(workload);
  const added = (with_: readonly Workload[], without: readonly Workload[], at: number): number =>
    quarter(with_[at]) - quarter(without[at]);
  return [
    {
      what: "5 deny rules with groups, history 10, added",
      unit: "ns",
      value: added(deny, none, 0),
      atMost: 60,
    },
    {
      what: "5 deny rules, whole call at history 100,000 beside 10",
      unit: "x",
      value: quarter(deny[2]) / quarter(deny[0]),
      atMost: 1.2,
    },
    {
      what: "the same and 2 allow rules of length 3, history 10, added",
      unit: "ns",
      value: added(both, plain, 0),
      atMost: 2000,
    },
    {
      what: "deny and allow rules, whole call at history 100,000 beside 10",
      unit: "x",
      value: quarter(both[2]) / quarter(both[0]),
      atMost: 1.2,
    },
    ...HISTORIES.flatMap((history, at): Figure[] => {
      const calls = history.toLocaleString("en");
      return [
        { what: `no rules, whole call at history ${calls}`, unit: "ns", value: quarter(none[at]) },
        { what: `5 deny rules, whole call at history ${calls}`, unit: "ns", value: quarter(deny[at]) },
        {
          what: `deny and allow rules, whole call at history ${calls}`,
          unit: "ns",
          value: quarter(both[at]),
        },
      ];
    }),
  ];
}

/** Times stretches of calls behind a history: short histories anew for each stretch, long ones once a round. */
function round({ tools, history, taken }: Workload): void {
  const stretches: number[] = [];
  const sessions = history < 1000 ? STRETCHES : 1;
  for (let session = 0; session < sessions; session += 1) {
    runAs("bench", { roles: [ROLE] }, () => {
      let sum = 0;
      for (let call = 0; call < history; call += 1) sum += tools[call & 7]?.(call) ?? 0;
      for (let stretch = 0; stretch < STRETCHES / sessions; stretch += 1) {
        const begin = performance.now();
        for (let call = 0; call < STRETCH; call += 1) sum += tools[call & 7]?.(call) ?? 0;
        stretches.push(((performance.now() - begin) * 1e6) / STRETCH);
      }
      results[0] = sum;
    });
  }
  taken.push(median(stretches));
}

function quarter(workload: Workload | undefined): number {
  return quantile(workload?.taken ?? [], 0.25);
}
