// The bypass: under load one request sees, or is charged with, what another one did; or what requests leave behind is
// kept, until the process has no memory left and somebody switches the guard off.

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  clearContext,
  clearUserContext,
  d2Guard,
  getFacts,
  getUserContext,
  isContextSet,
  recordFact,
  runAs,
  setUser,
  setUserContext,
} from "d2-sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { enforce, outcome } from "./enforce.js";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
if (typeof collect !== "function") throw new Error("there is no way to ask for a garbage collection");

const SESSIONS = 10_000;
const MEGABYTE = 2 ** 20;

/** Bytes of the heap that are in use, once everything that can go is gone. */
async function heap(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await setImmediate();
    Reflect.apply(collect as () => void, undefined, []);
  }
  return process.memoryUsage().heapUsed;
}

const read = d2Guard("read", async ({ owner }: { owner: string }) => {
  await setImmediate();
  return { owner, secret: "hunter2" };
});
const post = d2Guard("post", (_: { to: string }) => "sent");
const work = d2Guard("work", async (steps: number) => {
  for (let step = 0; step < steps; step += 1) await setImmediate();
  return getUserContext().userId;
});

beforeEach(() =>
  enforce(
    [
      {
        role: "reader",
        permissions: [
          {
            tool: "read",
            conditions: { input: { owner: { type: "string" } }, output: { secret: { action: "filter" } } },
          },
          "post",
          "work",
        ],
        sequence: [{ deny: ["read", "post"] }],
      },
      { role: "sender", permissions: ["post", "work"] },
    ],
    { data_flow: { labels: { read: ["SECRET"] }, blocks: { OTHER: ["post"] } } },
  ),
);

/** One request: every second one reads, and must not send; the others send. Says what was wrong. */
async function request(index: number): Promise<string | undefined> {
  const userId = `user-${index}`;
  const reader = index % 2 === 0;
  const wrong = (what: string): string => `${userId}: ${what}`;
  if (isContextSet()) return wrong("began with somebody else's user");
  return runAs(userId, { roles: [reader ? "reader" : "sender"] }, async () => {
    await setImmediate();
    if (reader) {
      const result = await read({ owner: userId });
      if (result.owner !== userId || "secret" in result) return wrong("got somebody else's result");
      recordFact(userId);
    }
    if ((await work(index % 3)) !== userId) return wrong("worked as somebody else");
    if (outcome(() => post({ to: userId })) !== (reader ? "sequence_violation" : "ok"))
      return wrong("was judged by another history");
    const { callHistory, roles } = getUserContext();
    if (callHistory?.join() !== (reader ? "read,work" : "work,post")) return wrong("has another history");
    if (roles?.join() !== (reader ? "reader" : "sender")) return wrong("has other roles");
    if (getFacts().join() !== (reader ? `SECRET,${userId}` : "")) return wrong("has other facts");
    return undefined;
  });
}

const all = (): Promise<unknown[]> =>
  Promise.all(Array.from({ length: SESSIONS }, (_, index) => request(index)));

describe("ten thousand sessions at once", () => {
  it("never see one another, and leave nothing behind", async () => {
    // The first round brings what is kept for good: compiled code, and the tables of the policy.
    expect((await all()).filter((it) => it !== undefined)).toEqual([]);
    const before = await heap();
    expect((await all()).filter((it) => it !== undefined)).toEqual([]);
    const kept = (await heap()) - before;
    expect(isContextSet()).toBe(false);
    // Had each session left as little as a hundred bytes, it would be about this.
    expect(kept).toBeLessThan(MEGABYTE);
  });

  it("whose users nobody ends, in handlers that are bounded, leave nothing behind either", async () => {
    const handler = clearContext(async (index: number) => {
      setUser(`user-${index}`, { roles: ["sender"] });
      await setImmediate();
      setUser(`user-${index}-again`, { roles: ["sender"] });
      post({ to: "x" });
      return getUserContext().callHistory?.length;
    });
    const round = async (): Promise<void> => {
      const lengths = await Promise.all(Array.from({ length: SESSIONS }, (_, index) => handler(index)));
      expect(new Set(lengths)).toEqual(new Set([1]));
    };
    await round();
    const before = await heap();
    await round();
    expect((await heap()) - before).toBeLessThan(MEGABYTE);
  });
});

describe("one session", () => {
  it("with a hundred thousand calls keeps no more than their names' count", async () => {
    await runAs("ann", { roles: ["sender"] }, async () => {
      for (let call = 0; call < 1000; call += 1) post({ to: "x" });
      const before = await heap();
      for (let call = 0; call < 100_000; call += 1) post({ to: "x" });
      expect((await heap()) - before).toBeLessThan(MEGABYTE);
      expect(getUserContext().callHistory).toHaveLength(101_000);
    });
  });

  it("inside which users come and go, in whatever way, does not grow with their number, but with what they did", async () => {
    await runAs("ann", { roles: ["sender"] }, async () => {
      const rounds = async (count: number): Promise<void> => {
        for (let index = 0; index < count; index += 1) {
          runAs("bob", { roles: [] }, () => undefined);
          await runAs("bob", { roles: [] }, async () => setUser("cid", { roles: [] }));
          await (async () => {
            await undefined;
            setUser("dan", { roles: [] });
            clearUserContext();
            using _user = setUserContext("eve", { roles: [] });
          })();
        }
      };
      await rounds(2000);
      const before = await heap();
      await rounds(10_000);
      expect((await heap()) - before).toBeLessThan(MEGABYTE);
      expect(getUserContext()).toMatchObject({ userId: "ann", callHistory: [] });
    });
  });
});

describe("refusals, tools and role sets by the ten thousand", () => {
  it("leave nothing behind", async () => {
    const round = async (from: number): Promise<void> => {
      for (let index = from; index < from + 5000; index += 1) {
        runAs(`user-${index}`, { roles: [`role-${index}`, "sender"] }, () => {
          expect(outcome(() => post({ to: "x" }))).toBe("ok");
        });
        outcome(() => post({ to: "x" }));
      }
    };
    await round(0);
    const before = await heap();
    await round(5000);
    expect((await heap()) - before).toBeLessThan(MEGABYTE);
  });
});
