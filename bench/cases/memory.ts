import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compilePlan, Session } from "d2-core";
import { loadPolicy } from "d2-policy";
import type { Figure } from "../figure.js";
import { largePolicyText, ROLE } from "../policies.js";
import { results } from "../timing.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heap(): number {
  for (let n = 0; n < 4; n += 1) collect();
  return process.memoryUsage().heapUsed;
}

/** Heap that what `make` gives holds on to. */
function held(make: () => unknown): number {
  const before = heap();
  results[0] = make();
  return heap() - before;
}

export function measure(): Figure[] {
  const text = largePolicyText();
  const make = (): unknown => compilePlan(loadPolicy(text, { now: 0 }).document);
  // Once before, so that code and caches that come with the first are not counted.
  results[0] = make();
  results[0] = undefined;
  const plan = held(make);
  results[0] = undefined;
  const sessions = 10_000;
  const idle = held(() => Array.from({ length: sessions }, () => new Session()));
  const view = compilePlan(loadPolicy(text, { now: 0 }).document).view([ROLE]);
  results[1] = view;
  return [
    {
      what: "heap of the plan of 50 roles x 1,000 tools",
      unit: "bytes",
      value: plan,
      atMost: 2 * 1024 * 1024,
    },
    { what: "heap of an idle session", unit: "bytes", value: idle / sessions, atMost: 1024 },
  ];
}
