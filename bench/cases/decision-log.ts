import { hash } from "node:crypto";
import { canonicalJson, digest } from "d2-core";
import { replayLog, verifyLog } from "d2-policy/log";
import { configureRbac, d2Guard, getPolicyManager, runAs, shutdownAllRbac } from "d2-sdk";
import { MemorySink } from "d2-sdk/log";
import stringify from "safe-stable-stringify";
import type { Figure } from "../figure.js";
import { median, timeSideBySide } from "../timing.js";

const nothing = (): undefined => undefined;
const NO_LOGGER = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Some 300 bytes, as an event is. */
const EVENTS = Array.from({ length: 64 }, (_, n) => ({
  tool: "db.query",
  user: "alice@example.com",
  limit: 100 + n,
  ok: true,
  nothing: null,
  filters: { status: "open", region: "eu-west-1", tags: ["a", "b", "c"] },
  request_id: "0f8fad5b-d9cb-469f-a165-70867728950e",
  note: "quarterly report for the finance team",
  source: "console",
}));

function canonical(): Figure[] {
  const each = (of: (value: unknown) => string) => (times: number) => {
    let length = 0;
    for (let n = 0; n < times; n += 1) length += of(EVENTS[n & 63]).length;
    return length;
  };
  const sha256 = (text: string): string => hash("sha256", text, "hex");
  const ns = timeSideBySide({
    ours: each(digest),
    peer: each((value) => sha256(stringify(value) ?? "")),
  });
  return [
    {
      what: `canonical JSON and SHA-256 of ${canonicalJson(EVENTS[0]).length} bytes, beside safe-stable-stringify and \`crypto.hash\``,
      unit: "x",
      value: ns.ours / ns.peer,
      atMost: 1.3,
    },
    { what: "the same, ours", unit: "ns", value: ns.ours },
  ];
}

/** A sink that counts, so that what is measured is the log's work and not the disk's. */
class Counter {
  readonly stream = "bench";
  readonly position = { index: 0, v: "0".repeat(64) as ReturnType<typeof digest>, calls: 0 };
  bytes = 0;
  append(lines: string): void {
    this.bytes += lines.length;
  }
  readonly sync = nothing;
  readonly close = nothing;
}

const CALLS = 60_000;
/** Calls in a row before the event loop turns. */
const BURST = 50;

async function calls(
  sink: Counter | undefined,
): Promise<{ inside: number; whole: number; perSecond: number }> {
  const policy = { metadata: { name: "bench" }, policies: [{ role: "agent", permissions: ["search"] }] };
  const decisionLog = sink === undefined ? {} : { decisionLog: { sink, queueLimit: 1_000_000 } };
  await configureRbac({ policy, logger: NO_LOGGER, ...decisionLog });
  const search = d2Guard("search", ({ limit }: { table: string; limit: number; query: string }) => limit);
  const insides: number[] = [];
  const wholes: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    let inside = 0;
    const begin = performance.now();
    await runAs("alice-123", { roles: ["agent"] }, async () => {
      for (let n = 0; n < CALLS; ) {
        const from = performance.now();
        for (let of = 0; of < BURST; of += 1, n += 1)
          search({ table: "customers", limit: n, query: "status = open" });
        inside += performance.now() - from;
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await getPolicyManager().flushDecisionLog();
    insides.push((inside * 1e6) / CALLS);
    wholes.push(((performance.now() - begin) * 1e6) / CALLS);
  }
  await shutdownAllRbac();
  const whole = median(wholes);
  return { inside: median(insides), whole, perSecond: 1e9 / whole };
}

async function guarded(): Promise<Figure[]> {
  const sink = new Counter();
  const off = await calls(undefined);
  const on = await calls(sink);
  return [
    {
      what: "a guarded call that is recorded (`digests`, batched): added before it returns",
      unit: "ns",
      value: on.inside - off.inside,
      atMost: 1000,
    },
    {
      what: "added in all, encoding and hashing included",
      unit: "µs",
      value: (on.whole - off.whole) / 1000,
      atMost: 25,
    },
    { what: "such calls on one core", unit: "a second", value: on.perSecond, atLeast: 35_000 },
    { what: "size of a call's four events", unit: "bytes", value: sink.bytes / (7 * CALLS), atMost: 2600 },
  ];
}

/** Lines of sessions of five calls, as a guard writes them. */
async function recorded(sessions: number): Promise<MemorySink> {
  const sink = new MemorySink({ maxLines: 10_000_000 });
  const policy = {
    metadata: { name: "bench" },
    policies: [{ role: "agent", permissions: ["search", "read"], sequence: [{ deny: ["read", "search"] }] }],
  };
  await configureRbac({ policy, logger: NO_LOGGER, decisionLog: { sink, queueLimit: 1_000_000 } });
  const search = d2Guard("search", { onDeny: 0 }, ({ limit }: { limit: number }) => limit);
  const read = d2Guard("read", ({ id }: { id: number }) => id);
  for (let n = 0; n < sessions; n += 1) {
    runAs(`alice-${n % 50}`, { roles: ["agent"] }, () => {
      search({ limit: n });
      read({ id: n });
      read({ id: n });
      search({ limit: 1 });
      search({ limit: 2 });
    });
    if (n % 1000 === 999) await getPolicyManager().flushDecisionLog();
  }
  await shutdownAllRbac();
  return sink;
}

async function checked(): Promise<Figure[]> {
  const sink = await recorded(8_000);
  const chunks: Buffer[] = [];
  const log = Buffer.from(sink.text);
  for (let at = 0; at < log.length; at += 65_536) chunks.push(log.subarray(at, at + 65_536));
  const policies = (digest: string) => ({ text: sink.policies.get(digest) ?? "" });
  const [verifies, replays]: [number[], number[]] = [[], []];
  for (let round = 0; round < 5; round += 1) {
    const begin = performance.now();
    const { counts, ok } = await verifyLog(chunks);
    const between = performance.now();
    const { replay } = await replayLog(chunks, { policies });
    const end = performance.now();
    if (!ok || replay.different > 0 || replay.notReplayable > 0) throw new Error("the log does not hold");
    verifies.push((counts.events * 1000) / (between - begin));
    replays.push((counts.events * 1000) / (end - between));
  }
  return [
    { what: "events verified", unit: "a second", value: median(verifies), atLeast: 100_000 },
    {
      what: "events replayed, verified on the way",
      unit: "a second",
      value: median(replays),
      atLeast: 60_000,
    },
  ];
}

export async function measure(): Promise<Figure[]> {
  return [...canonical(), ...(await guarded()), ...(await checked())];
}
