import { configureRbac, d2Guard } from "d2-sdk";
import type { Figure } from "../figure.js";
import { GRANTED, largePolicy, silent } from "../policies.js";
import { inOneSession } from "../session-loop.js";
import { timeSideBySide } from "../timing.js";

const group = (from: number): string[] => GRANTED.slice(from, from + 20);

/** Ten groups of twenty tools; what the loop calls is in the first five. */
const tool_groups = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`group_${n}`, group(n * 20)]));

const DENY = [
  { deny: ["@group_0", "@group_5"] },
  { deny: ["@group_1", "@group_2", "@group_6"] },
  { deny: ["@group_3", "@group_7"] },
  { deny: ["@group_4", "@group_8"] },
  { deny: ["@group_0", "@group_1", "@group_9"] },
];
const ALLOW = [
  { allow: ["@group_0", "@group_1", "@group_5"] },
  { allow: ["@group_3", "@group_4", "@group_7"] },
];

const CALLED = [...group(0), ...group(20), ...group(40), ...group(60)].slice(0, 64);

function loop(instance: string, history: number): (times: number) => number {
  const tools = CALLED.map((id) => d2Guard(id, { instance }, (n: number) => n + 1));
  const run = (times: number): number => {
    let sum = 0;
    for (let n = 0; n < times; n += 1) sum += tools[n & 63]?.(n) ?? 0;
    return sum;
  };
  return inOneSession(() => run(history), run);
}

export async function measure(): Promise<Figure[]> {
  const metadata = { tool_groups };
  const load = (instance: string, sequence: readonly object[]): Promise<unknown> =>
    configureRbac({ instance, logger: silent, policy: largePolicy({ metadata, sequence }) });
  await configureRbac({ instance: "plain", logger: silent, policy: largePolicy({ metadata }) });
  await load("deny", DENY);
  await load("both", [...DENY, ...ALLOW]);
  const ns = timeSideBySide({
    plain10: loop("plain", 10),
    plain100k: loop("plain", 100_000),
    deny10: loop("deny", 10),
    deny10k: loop("deny", 10_000),
    deny100k: loop("deny", 100_000),
    both10: loop("both", 10),
    both100k: loop("both", 100_000),
  });
  // A loop's own calls join its history too, so "10" is where it begins.
  return [
    {
      what: "5 deny rules with groups add, history from 10",
      unit: "ns",
      value: ns.deny10 - ns.plain10,
      atMost: 60,
    },
    {
      what: "5 deny rules, history from 100,000 beside from 10",
      unit: "x",
      value: ns.deny100k / ns.deny10,
      atMost: 1.2,
    },
    {
      what: "5 deny rules, history from 10,000 beside from 10",
      unit: "x",
      value: ns.deny10k / ns.deny10,
      atMost: 1.2,
    },
    { what: "2 allow rules of length 3 add to that", unit: "ns", value: ns.both10 - ns.deny10, atMost: 2000 },
    {
      what: "with allow rules, history from 100,000 beside from 10",
      unit: "x",
      value: ns.both100k / ns.both10,
      atMost: 1.2,
    },
    {
      what: "no sequence rules, history from 100,000 beside from 10",
      unit: "x",
      value: ns.plain100k / ns.plain10,
    },
  ];
}
