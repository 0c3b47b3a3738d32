import {
  type CallRecord,
  compilePlan,
  type HexDigest,
  NOTHING_BEFORE,
  RecordWriter,
  readMask,
  recordContext,
  Session,
} from "d2-core";
import { loadPolicy } from "d2-policy";
import { replayLog, verifyLog } from "d2-policy/log";
import { expect, it } from "vitest";

/** How large a log is made: `D2_LOG_BYTES=1000000000` for the one of a gigabyte. */
const BYTES = Number(process.env["D2_LOG_BYTES"] ?? 25_000_000);
/** What the heap may grow by, whatever the size: a few tens of megabytes come and go between collections. */
const GROWTH = 192 * 1024 * 1024;

const POLICY = {
  metadata: { name: "large" },
  policies: [{ role: "agent", permissions: ["read", "post"], sequence: [{ deny: ["read", "post"] }] }],
};
const loaded = loadPolicy(POLICY, { now: 0 });
const plan = compilePlan(loaded.document);

/** Sessions of four calls, the last of which is refused, made as they are read. */
function* largeLog(): Generator<string> {
  // A loaded policy's digest is that of its normalised document.
  const policyDigest = loaded.digest as HexDigest;
  const identity = { policyId: loaded.name, policyVersion: loaded.version, policyDigest };
  const context = recordContext("acme", identity, "arguments", readMask([]));
  const writer = new RecordWriter("large", { index: 0, v: NOTHING_BEFORE, calls: 0 });
  let number = 0;
  for (let bytes = 0, n = 0; bytes < BYTES; n += 1) {
    const session = new Session();
    session.id = `session-${n}`;
    const user = { userId: `user-${n % 100}`, roles: ["agent"], session };
    let lines = "";
    for (const tool of ["read", "read", "read", "post"]) {
      const entry = plan.view(user.roles).entry(tool);
      const denial = entry.space && session.tracker(entry.space).denial(session, tool, entry.toolClass, 0);
      number += 1;
      const record: CallRecord = {
        context,
        number,
        state: "current",
        tool,
        names: undefined,
        args: [{ n }],
        user,
        historyLength: session.length,
        facts: [],
        within: undefined,
        around: undefined,
        strictSync: false,
        decision:
          denial === undefined
            ? { outcome: "allow", reason: "ok", layer: "none", violations: [] }
            : {
                outcome: "deny",
                reason: "sequence_violation",
                layer: "sequence",
                rule: denial.rule,
                violations: [],
              },
      };
      lines += writer.decided(record);
      if (denial !== undefined) continue;
      const id = session.begin(tool, 0);
      lines += writer.ended(record, {
        success: true,
        output: n,
        durationNs: 1,
        error: undefined,
        release: undefined,
      });
      session.end(id, true);
    }
    session.close();
    lines += writer.sessionEnd(session);
    bytes += lines.length;
    yield lines;
  }
}

it.each(["verified", "replayed"] as const)(
  "a large log is %s in memory that does not grow with it",
  { timeout: 600_000 },
  async (how) => {
    const before = process.memoryUsage().heapUsed;
    let most = 0;
    const options = {
      progressEvery: 10_000,
      onProgress: () => {
        most = Math.max(most, process.memoryUsage().heapUsed - before);
      },
    };
    const policies = () => loaded;
    const { ok, counts } =
      how === "verified"
        ? await verifyLog(largeLog(), options)
        : await replayLog(largeLog(), { ...options, policies });
    expect(ok).toBe(true);
    expect(counts.bytes).toBeGreaterThanOrEqual(BYTES);
    expect(counts.denied * 4).toBe(counts.calls);
    expect(most).toBeLessThan(GROWTH);
    if (BYTES > 100_000_000)
      console.log(`${how}: ${counts.events} events, heap grew by ${most} bytes at most`);
  },
);
