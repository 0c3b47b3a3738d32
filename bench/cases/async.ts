import { configureRbac, d2Guard } from "d2-sdk";
import type { Figure } from "../figure.js";
import { GRANTED, largePolicy, silent } from "../policies.js";
import { inOneSession } from "../session-loop.js";
import { timeAsyncSideBySide } from "../timing.js";

type AsyncTool = (value: number) => Promise<number>;

function awaiting(tools: readonly AsyncTool[]): (times: number) => Promise<number> {
  return async (times) => {
    let sum = 0;
    for (let n = 0; n < times; n += 1) sum += (await tools[n & 63]?.(n)) ?? 0;
    return sum;
  };
}

export async function measure(): Promise<Figure[]> {
  await configureRbac({ policy: largePolicy(), logger: silent });
  const bare = Array.from({ length: 64 }, (): AsyncTool => async (value) => value + 1);
  const guarded = GRANTED.slice(0, 64).map((id) => d2Guard(id, async (value: number) => value + 1));
  const ns = await timeAsyncSideBySide({
    // `runAs` is an `als.run`. With a store of its own, the bare function would make every promise dearer for both.
    bare: inOneSession(() => undefined, awaiting(bare)),
    guarded: inOneSession(() => undefined, awaiting(guarded)),
  });
  return [
    {
      what: "guarding an async function adds to awaiting it inside `als.run`",
      unit: "ns",
      value: ns.guarded - ns.bare,
      atMost: 150,
    },
    { what: "awaiting the bare async function inside `als.run`", unit: "ns", value: ns.bare },
  ];
}
