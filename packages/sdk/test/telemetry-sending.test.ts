import { describe, expect, it } from "vitest";
import { runAs } from "../src/context/user.js";
import { d2Guard } from "../src/guard/d2-guard.js";
import { type App, appWithEvents } from "./ingest-server.js";

const INSTANCE = "sending";
const POLICIES = [{ role: "agent", permissions: ["free"] }];

const free = d2Guard("free", { instance: INSTANCE }, () => 1);
const refused = d2Guard("nowhere", { instance: INSTANCE, onDeny: 0 }, () => 1);

const start = () => appWithEvents(INSTANCE, POLICIES);

/** So many calls, each in a session of its own: two events each. */
const calls = (count: number, fn: () => unknown = free): void => {
  for (let n = 0; n < count; n += 1) runAs("alice", { roles: ["agent"] }, fn);
};

/** Lets time go by until there were so many posts. */
async function delivered({ server, timers }: App, count: number): Promise<void> {
  while (server.posts.length < count) {
    timers.fire();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Has the timer of the next post go off, and waits until there were so many posts. */
async function posted(app: App, count: number): Promise<void> {
  app.timers.fire();
  await app.server.seen(count);
}

const ids = ({ server }: App) => server.posts.map(({ id }) => id);

describe("usage events are sent", () => {
  it("when the interval is over, and not before", async () => {
    const app = await start();
    calls(2);
    expect(app.timers.pending).toEqual([60_000]);
    expect(app.server.posts).toEqual([]);
    await posted(app, 1);
    expect(app.server.events.filter(({ event_type }) => event_type === "authz_decision")).toHaveLength(2);
    await app.telemetry.close();
    expect(app.server.posts).toHaveLength(1);
  });

  it("in posts of at most 32 KiB, each under an id of its own", async () => {
    const app = await start();
    calls(200);
    await app.telemetry.close();
    expect(app.server.posts.length).toBeGreaterThan(2);
    expect(new Set(ids(app)).size).toBe(app.server.posts.length);
    for (const { events } of app.server.posts) {
      expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThanOrEqual(32 * 1024 + 1);
    }
    expect(app.server.events).toHaveLength(400);
  });

  it("in posts of as many events and bytes as the control plane allows", async () => {
    const app = await start();
    app.server.account = { quotas: { event_batch: 10, event_bytes: 1_000_000, ingest_interval: 5 } };
    calls(1);
    await app.timers.until((wait) => wait === 5000);
    calls(49);
    await app.telemetry.close();
    expect(app.server.posts.map(({ events }) => events.length)).toEqual(Array(10).fill(10));
  });

  it("at once when there is room for no more, and what is dropped is counted and told", async () => {
    const app = await start();
    calls(5, refused);
    calls(600);
    expect(app.timers.pending).toEqual([0]);
    await app.telemetry.close();
    const [first] = app.server.events;
    expect(first).toMatchObject({ event_type: "events_dropped", payload: { count: 210, denials: 5 } });
    expect(app.server.events).toHaveLength(1001);
    expect(app.server.of("events_dropped")).toHaveLength(1);
  });

  it.each([
    [500, 1000],
    [503, 1000],
    [((response) => response.destroy()) satisfies App["server"]["answers"][number], 1000],
    [429, 60_000],
    [[429, { "retry-after": "7" }] as const, 7000],
  ])("again after %s, as the same batch", async (answer, wait) => {
    const app = await start();
    app.server.answers.push(answer);
    calls(3);
    await posted(app, 1);
    await app.timers.until((milliseconds) => milliseconds === wait);
    calls(1);
    await posted(app, 2);
    await app.telemetry.close();
    const [one, two] = app.server.posts;
    expect(two?.text).toBe(one?.text);
    expect(app.server.of("authz_decision")).toHaveLength(7);
    expect(app.log.of("warn")).toHaveLength(1);
    expect(app.log.of("info")).toEqual(["usage events are sent again"]);
    expect(app.log.lines.some(({ message }) => message.includes("secret"))).toBe(false);
  });

  it("less and less often while the control plane fails", async () => {
    const app = await start();
    app.server.answers.push(...Array(8).fill(500));
    calls(1);
    for (const [round, wait] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
      await posted(app, round + 1);
      await app.timers.until((milliseconds) => milliseconds === wait * 1000);
    }
    await app.telemetry.close();
    expect(new Set(ids(app)).size).toBe(1);
  });

  it("in halves after 413, and in no larger posts from then on", async () => {
    const app = await start();
    app.server.answers.push(413, 413);
    calls(20);
    await app.telemetry.close();
    expect(app.server.posts.map(({ events }) => events.length)).toEqual([40, 20, 10, 10, 20]);
    expect(new Set(ids(app)).size).toBe(5);
  });

  it("no more after 401 and 403, which is said once", async () => {
    for (const status of [401, 403]) {
      const app = await start();
      app.server.answers.push(status);
      calls(3);
      await app.telemetry.close();
      calls(3);
      expect(app.server.posts).toHaveLength(1);
      expect(app.timers.pending).toEqual([]);
      expect(app.log.of("warn")).toEqual([expect.stringContaining(`(${status})`)]);
    }
  });

  it("not again after another refusal, and that they are lost is told", async () => {
    const app = await start();
    app.server.answers.push(400);
    calls(2);
    await posted(app, 1);
    calls(1);
    await app.telemetry.close();
    expect(app.server.of("events_dropped")).toEqual([expect.objectContaining({ count: 4, denials: 0 })]);
  });

  it("as long as they are answered in two seconds when the instance ends", async () => {
    const app = await start();
    app.server.answers.push(() => undefined);
    calls(1);
    const began = performance.now();
    await app.telemetry.close();
    expect(performance.now() - began).toBeLessThan(4000);
    expect(app.server.posts).toHaveLength(1);
  });

  it("and the account is asked about once, and again when that is five minutes ago", async () => {
    const app = await start();
    for (const round of [1, 2, 3]) {
      calls(1);
      await delivered(app, round);
    }
    expect(app.server.accountsAsked).toBe(1);
    app.time.now += 300_000;
    calls(1);
    await delivered(app, 4);
    while (app.server.accountsAsked < 2) await new Promise((resolve) => setImmediate(resolve));
    await app.telemetry.close();
    expect(app.server.accountsAsked).toBe(2);
  });
});
