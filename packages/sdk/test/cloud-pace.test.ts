import { describe, expect, it } from "vitest";
import { readPollSeconds } from "../src/cloud/bundle-reply.js";
import { Pace } from "../src/cloud/pace.js";
import { CloudRun } from "./cloud-run.js";
import { FakeControlPlane, status } from "./fake-control-plane.js";

const begun = async (extra: Record<string, string> = {}, random?: () => number) => {
  const plane = await FakeControlPlane.start();
  plane.extra = extra;
  const run = new CloudRun(plane, random === undefined ? {} : { random });
  await run.begin();
  return { plane, run };
};

describe("the time between polls", () => {
  it("is a minute, or what the control plane says, also with 304", async () => {
    const { plane, run } = await begun();
    plane.extra = { "x-d2-poll-seconds": "7" };
    await run.poll();
    expect(run.polls.waits).toEqual([60_000, 7000]);
  });

  it.each([
    ["0", 1],
    ["-5", 1],
    ["1", 1],
    ["3600", 3600],
    ["999999", 3600],
    ["soon", 60],
    ["1.5", 60],
    ["", 60],
    [null, 60],
  ])("of %j is %i seconds", (value, seconds) => {
    expect(readPollSeconds(value)).toBe(seconds);
  });

  it("is a tenth more or less by chance", async () => {
    expect((await begun({}, () => 0)).run.polls.waits).toEqual([54_000]);
    expect((await begun({}, () => 1)).run.polls.waits).toEqual([66_000]);
  });

  it("doubles with each failure up to eight intervals, and is one again after an answer", async () => {
    const { plane, run } = await begun({ "x-d2-poll-seconds": "10" });
    plane.bundle = status(500);
    for (let times = 0; times < 5; times += 1) await run.poll();
    plane.bundle = undefined;
    await run.poll();
    expect(run.polls.waits).toEqual([10_000, 20_000, 40_000, 80_000, 80_000, 80_000, 10_000]);
  });

  it("is what `Retry-After` says, and never less", async () => {
    const { plane, run } = await begun({}, () => 0);
    const date = new Date(run.now + 30_000).toUTCString();
    for (const after of ["120", date, "100000"]) {
      plane.bundle = status(429, {}, { "retry-after": after });
      await run.poll();
    }
    expect(run.polls.waits.slice(1)).toEqual([120_000, 30_000, 3_600_000]);
    expect(run.told[0]).toMatch(/^warn .*asked too often \(429\); version 1 of "first" stays in force/);
  });

  it("after 429 without a time is that after a failure", async () => {
    const { plane, run } = await begun();
    plane.bundle = status(429);
    await run.poll();
    expect(run.polls.waits.at(-1)).toBe(120_000);
  });

  it("is short while there is no policy, and backs off all the same", () => {
    const pace = new Pace(() => 0.5);
    const next = () => pace.after({ failed: true, urgent: true });
    expect([next(), next(), next(), next()]).toEqual([10_000, 20_000, 40_000, 40_000]);
  });
});
