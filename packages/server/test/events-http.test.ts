import { describe, expect, it, vi } from "vitest";
import { IngestQueue } from "../src/events/ingest-queue.js";
import { RetentionJob } from "../src/events/retention-job.js";
import { createMetrics } from "../src/observe/metrics.js";
import { createSettings } from "../src/settings.js";
import type { IngestOutcome, NewBatch, Storage } from "../src/storage/storage.js";
import { StorageError } from "../src/storage/storage-error.js";
import { type ControlPlane, controlPlane, SERVER_KEY } from "./control-plane.js";
import { databaseKinds, testDatabases } from "./databases.js";
import { ACCOUNT, APP } from "./running-server.js";
import { eventRow } from "./storage-rows.js";

const databases = testDatabases();

interface EventFields {
  readonly event_type?: unknown;
  readonly occurred_at?: unknown;
  readonly payload?: unknown;
}

function event(payload: object = {}, more: EventFields = {}) {
  return {
    event_type: "authz_decision",
    occurred_at: "2030-01-01T00:00:00.123456+00:00",
    payload: {
      tool_id: "orders.read",
      result: "denied",
      reason: "missing_policy",
      user_id: "ada",
      ...payload,
    },
    ...more,
  };
}

const send = (
  server: ControlPlane,
  events: unknown,
  headers: Record<string, string> = {},
  more: object = {},
) => server.call("POST", "/v1/events/ingest", { token: server.runtime, json: { events, ...more }, headers });

describe.each(databaseKinds)("ingest (%s)", (kind) => {
  const start = async () => {
    const { url, file } = await databases.fresh(kind);
    return controlPlane({ databaseUrl: url, databaseFile: file, serverKey: SERVER_KEY });
  };

  it("stores what the public client sends, and finds it by every filter", async () => {
    const server = await start();
    const policy_loaded = { event_type: "policy_loaded", payload: { tool_count: 3 } };
    const sent = await send(server, [
      event(),
      event({ tool_id: "b", result: "allowed" }),
      event({}, policy_loaded),
    ]);
    expect([sent.status, sent.json]).toEqual([202, { accepted: 3, duplicate: false }]);
    const count = async (query: string) =>
      (await server.call("GET", `/v1/events?${query}`, { token: server.admin })).json.events.length;
    const found: Record<string, number> = {};
    const queries = [
      "",
      "app_name=shop",
      "type=policy_loaded",
      "tool=b",
      "user=ada",
      "result=denied",
      "reason=missing_policy&result=allowed",
      "from=2030-01-01T00:00:00.124Z",
      "from=2030-01-01T01:00:00.123%2B01:00&to=2030-01-01T00:00:00.124Z",
      "tool=none",
    ];
    for (const query of queries) found[query] = await count(query);
    expect(Object.values(found)).toEqual([3, 3, 1, 1, 2, 1, 1, 0, 3, 0]);
  });

  it("stores a batch once, by its own id or by the request's", async () => {
    const server = await start();
    const batches = await Promise.all([
      send(server, [event()], {}, { batch_id: "one" }),
      send(server, [event()], {}, { batch_id: "one" }),
      send(server, [event(), event()], { "X-Request-Id": "two" }),
    ]);
    const again = await send(server, [event(), event(), event()], { "X-Request-Id": "two" });
    expect(again).toMatchObject({ status: 202, json: { accepted: 2, duplicate: true } });
    expect(batches.map(({ json }) => json.duplicate).sort()).toEqual([false, false, true]);
    const { json } = await server.call("GET", "/v1/events", { token: server.admin });
    expect(json.events).toHaveLength(3);
    await send(server, [event()]);
    await send(server, [event()]);
    expect((await server.call("GET", "/v1/events", { token: server.admin })).json.events).toHaveLength(5);
  });

  it("of many small batches at once loses none and counts each once", async () => {
    const server = await start();
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        send(server, [event(), event()], {}, { batch_id: `b${at % 50}` }),
      ),
    );
    expect(replies.filter(({ json }) => json.duplicate)).toHaveLength(10);
    const { json } = await server.call(
      "GET",
      "/v1/events/rollups?from=2030-01-01T00:00:00Z&to=2030-01-01T02:00:00Z",
      {
        token: server.admin,
      },
    );
    expect(json.rollups).toEqual([
      {
        app_id: APP,
        app_name: "shop",
        hour: "2030-01-01T00:00:00.000Z",
        tool_id: "orders.read",
        result: "denied",
        reason: "missing_policy",
        count: 100,
      },
    ]);
  });

  it("is read page by page, newest first, or from the oldest on for as long as one likes", async () => {
    const server = await start();
    await send(
      server,
      [1, 2, 3].map((number) => event({ number })),
    );
    const page = async (query: string) => {
      const { json } = await server.call("GET", `/v1/events?limit=2&${query}`, { token: server.admin });
      return [json.events.map((it: { payload: { number: number } }) => it.payload.number), json.next_cursor];
    };
    const [newest, cursor] = await page("");
    expect(newest).toEqual([3, 2]);
    expect(await page(`cursor=${cursor}`)).toEqual([[1], null]);
    const [, first] = await page("order=oldest");
    const [third, second] = await page(`order=oldest&cursor=${first}`);
    expect(third).toEqual([3]);
    expect(await page(`order=oldest&cursor=${second}`)).toEqual([[], second]);
    await send(server, [event({ number: 4 })]);
    expect((await page(`order=oldest&cursor=${second}`))[0]).toEqual([4]);
  });
});

describe("a batch", () => {
  it("keeps no values: of violations only path and operator are left", async () => {
    const server = await controlPlane();
    const violations = [
      "amount: 4111-1111 exceeds 100",
      { path: "amount", operator: "max", operand: 100, message: "4111-1111", value: "4111-1111" },
      { path: "note", operator: "not a 4111-1111" },
      ["4111-1111"],
      4111,
    ];
    await send(server, [event({ violations, violation_count: 5 }), event({ violations: "4111-1111" })]);
    const { json, text } = await server.call("GET", "/v1/events?order=oldest", { token: server.admin });
    expect(text).not.toContain("4111");
    expect(json.events[0].payload.violations).toEqual([
      { path: "amount", operator: "max" },
      { path: "note" },
    ]);
    expect(json.events[0].payload.violation_count).toBe(5);
    expect(json.events[1].payload.violations).toEqual([]);
  });

  it("of another shape is refused as a whole, without telling what it held", async () => {
    const server = await controlPlane();
    const wrong: EventFields[] = [
      { occurred_at: "yesterday 4711" },
      { occurred_at: "2030-02-31T25:00:00Z" },
      { occurred_at: 4711 },
      { event_type: "" },
      { event_type: "4711 4711" },
      { payload: ["4711"] },
      { payload: null },
    ];
    for (const fields of wrong) {
      const reply = await send(server, [event(), event({}, fields)]);
      expect([reply.status, reply.json.code]).toEqual([400, "invalid_request"]);
      expect(reply.json.issues[0].path).toContain("events[1]");
      expect(reply.text).not.toContain("4711");
    }
    expect((await send(server, "none")).status).toBe(400);
    expect((await send(server, [event()], {}, { batch_id: "a b" })).status).toBe(400);
    expect((await server.call("GET", "/v1/events", { token: server.admin })).json.events).toEqual([]);
  });

  it("that is too large is refused with 413, so that clients halve it", async () => {
    const server = await controlPlane({ plans: { default: { event_batch: 10 } }, bodyLimit: 10_000_000 });
    expect((await send(server, Array(10).fill(event()))).status).toBe(202);
    const many = await send(server, Array(11).fill(event()));
    expect([many.status, many.json.code]).toEqual([413, "batch_too_large"]);
    const large = await send(server, [event({ text: "x".repeat(1_048_576) })]);
    expect([large.status, large.json.code]).toEqual([413, "body_too_large"]);
    const plain = await controlPlane();
    expect((await send(plain, Array(1000).fill(event()))).json.accepted).toBe(1000);
    expect((await send(plain, Array(1001).fill(event()))).status).toBe(413);
  });

  it("can name `__proto__`, NUL and half a character", async () => {
    const server = await controlPlane();
    const body = `{"events":[{"event_type":"a","occurred_at":"2030-01-01T00:00:00Z","payload":{"__proto__":{"result":"x"},"tool_id":"\\u0000\\ud800","n":"\\u0000"}}]}`;
    const sent = await server.call("POST", "/v1/events/ingest", {
      token: server.runtime,
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(sent.status).toBe(202);
    const { text, json } = await server.call("GET", "/v1/events", { token: server.admin });
    expect(text).toContain('"__proto__":{"result":"x"}');
    expect(json.events[0].payload.n).toBe("\0");
  });
});

describe("the queue", () => {
  /** A storage whose transactions end when the test says so. */
  function slowStorage() {
    const groups: NewBatch[][] = [];
    const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
    const storage: Pick<Storage, "ingestMany" | "database"> = {
      database: "sqlite",
      ingestMany(batches) {
        groups.push([...batches]);
        return new Promise<readonly IngestOutcome[]>((resolve, reject) => {
          const outcomes = batches.map(({ events }) => ({ accepted: events.length, duplicate: false }));
          ends.push({ resolve: () => resolve(outcomes), reject });
        });
      },
    };
    return { storage: storage as Storage, groups, ends };
  }

  const batch = (batchId: string, size: number): NewBatch => ({
    accountId: ACCOUNT,
    appId: APP,
    batchId,
    events: Array.from({ length: size }, () => eventRow()),
  });

  function queueOn(storage: Storage, eventQueueLimit: number) {
    const settings = createSettings({ eventQueueLimit });
    return new IngestQueue({ storage, clock: () => 0, metrics: createMetrics(0), settings });
  }

  it("answers only when the batch is on disk, stores those that wait together, and refuses beyond its bound", async () => {
    const { storage, groups, ends } = slowStorage();
    const queue = queueOn(storage, 10);
    const settled: string[] = [];
    const add = (id: string, size: number) => queue.add(batch(id, size)).then(() => settled.push(id));
    const all = [add("a", 4)];
    await vi.waitFor(() => expect(groups).toHaveLength(1));
    all.push(add("b", 3), add("c", 3));
    expect(() => queue.add(batch("d", 1))).toThrow(
      expect.objectContaining({ status: 429, headers: { "Retry-After": "1" } }),
    );
    expect(settled).toEqual([]);
    ends[0]?.resolve();
    await vi.waitFor(() => expect(groups).toHaveLength(2));
    expect(settled).toEqual(["a"]);
    expect(groups[1]?.map(({ batchId }) => batchId)).toEqual(["b", "c"]);
    const closed = queue.close().then(() => settled.push("closed"));
    ends[1]?.resolve();
    await Promise.all([...all, closed]);
    expect(settled).toEqual(["a", "b", "c", "closed"]);
    void queue.add(batch("d", 10));
  });

  it("counts a large event once a KiB", async () => {
    const { storage } = slowStorage();
    const queue = queueOn(storage, 100);
    const large = { ...batch("a", 1), events: [eventRow({ payload: "x".repeat(90 * 1024) })] };
    void queue.add(large);
    expect(() => queue.add(batch("b", 11))).toThrow(expect.objectContaining({ status: 429 }));
    void queue.add(batch("c", 10));
  });

  it("does not let one batch that cannot be stored take others with it", async () => {
    const { storage, groups, ends } = slowStorage();
    const queue = queueOn(storage, 100);
    const first = queue.add(batch("a", 1));
    const second = queue.add(batch("b", 1)).catch((error) => error.code);
    await vi.waitFor(() => expect(groups).toHaveLength(1));
    ends[0]?.reject(new StorageError("failed", "no"));
    await vi.waitFor(() => expect(groups).toHaveLength(2));
    ends[1]?.resolve();
    await vi.waitFor(() => expect(groups).toHaveLength(3));
    ends[2]?.reject(new StorageError("unknown_account", "no"));
    expect(await first).toEqual({ accepted: 1, duplicate: false });
    expect(await second).toBe("unknown_account");
  });

  it("is told to clients as 429 with `Retry-After`, and as 503 when the database is away", async () => {
    const server = await controlPlane({ eventQueueLimit: 1 });
    const { storage } = server.services;
    const real = storage.ingestMany;
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const spy = vi.spyOn(storage, "ingestMany").mockImplementation(async (...args) => {
      await held;
      return real(...args);
    });
    const first = send(server, [event()]);
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    const refused = await send(server, [event()]);
    expect([refused.status, refused.json.code]).toEqual([429, "ingest_overloaded"]);
    expect(refused.headers.get("retry-after")).toBe("1");
    release();
    expect((await first).status).toBe(202);
    spy.mockRejectedValue(new StorageError("unreachable", "away"));
    const away = await send(server, [event()]);
    expect([away.status, away.headers.get("retry-after")]).toEqual([503, "1"]);
  });
});

describe("old events", () => {
  it("go after the days of the settings, and for ever means for ever", async () => {
    const server = await controlPlane({ eventRetentionDays: 30 });
    await send(server, [event()]);
    const { services } = server;
    const left = async () =>
      (await server.call("GET", "/v1/events", { token: server.admin })).json.events.length;
    server.time.now += 31 * 86_400_000;
    const never = { ...services, settings: { ...services.settings, eventRetentionDays: 0 } };
    for (const [parts, count] of [
      [never, 1],
      [services, 0],
    ] as const) {
      const job = new RetentionJob(parts);
      await job.run();
      expect(await left()).toBe(count);
      await job.close();
    }
    expect(server.lines.join("")).toContain("old events were removed");
  });
});
