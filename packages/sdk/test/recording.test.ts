import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, digest, documentDigest, encodeTagged } from "d2-core";
import { loadPolicy } from "d2-policy";
import { replayLog, verifyLog } from "d2-policy/log";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  configureRbac,
  d2Guard,
  getPolicyManager,
  PermissionDeniedError,
  type RbacOptions,
  runAs,
  shutdownAllRbac,
} from "../src/index.js";
import { SILENT } from "./enforce.js";
import { TestSink } from "./recording.js";

const POLICY = {
  metadata: { name: "shop", data_flow: { labels: { "db.read": ["PII"] }, blocks: { PII: ["mail.*"] } } },
  policies: [
    {
      role: "clerk",
      permissions: [
        "db.read",
        "mail.send",
        "outer",
        { tool: "limited", allow: true, conditions: { input: { limit: { max: 10 } } } },
        {
          tool: "customer",
          allow: true,
          conditions: { output: { ssn: { matches: ".+", action: "redact" } } },
        },
      ],
      sequence: { mode: "allow", rules: [{ deny: ["db.read", "post"], reason: "no leak" }] },
    },
  ],
};

let sink: TestSink;
const setUp = (options: object = {}, more: RbacOptions = {}) =>
  configureRbac({ policy: POLICY, logger: SILENT, decisionLog: { sink, ...options }, ...more });
const asClerk = <T>(block: () => T): T => runAs("ann", { roles: ["clerk"] }, block);
const flush = () => getPolicyManager().flushDecisionLog();

beforeEach(() => {
  sink = new TestSink();
});
afterEach(() => shutdownAllRbac());

describe("a recorded call", () => {
  it("is an intent, a decision, a proof and an execution", async () => {
    await setUp({}, { tenant: "acme" });
    const limited = d2Guard("limited", ({ limit }: { limit: number }) => limit * 2);
    asClerk(() => limited({ limit: 4 }));
    await flush();
    const [intent, decision, proof, execution, end] = sink.lines;
    const policy_digest = documentDigest(loadPolicy(POLICY, { now: 0 }).document);
    const args = digest(encodeTagged([{ limit: 4 }]));
    expect(intent?.event.event_kind).toBe("INTENT");
    const inputs = {
      principal_id: "ann",
      intent_type: "tool.call",
      capability: "limited",
      extensions: {
        policy_state: "current",
        roles: ["clerk"],
        facts: [],
        history_length: 0,
        history_digest: "0".repeat(64),
        arguments: { $digest: args },
      },
    };
    expect(intent?.event.data).toEqual({
      tenant_id: "acme",
      policy: { policy_id: "shop", policy_version: `sha256:${policy_digest.slice(0, 16)}`, policy_digest },
      inputs,
      authoritative_digest: digest(inputs),
    });
    expect(decision?.event).toMatchObject({
      event_kind: "DECISION",
      data: { gate: { decision: "ALLOW", reason_code: "ok" }, policy_id: "shop", tenant_id: "acme" },
    });
    expect(proof?.event).toMatchObject({ event_kind: "PROOF", data: { arguments_digest: args } });
    expect(execution).toMatchObject({
      event: {
        event_kind: "EXECUTION",
        data: { arguments_digest: args, output_digest: digest(8) },
      },
      trace: { success: true, failure_code: "OK" },
    });
    expect(execution?.event.data.trace_digest).toBe(digest(execution?.trace));
    expect(Number.isSafeInteger(execution?.observational?.duration_ns)).toBe(true);
    const ids = sink.lines.slice(0, 4).map(({ event }) => event.correlation_id);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}:1$/);
    expect(end?.event).toMatchObject({
      correlation_id: `${ids[0]?.slice(0, 36)}:end`,
      data: { session_end: true },
    });
    expect(sink.policies.has(policy_digest)).toBe(true);
  });

  it("holds no value of an argument or result at the level of digests", async () => {
    await setUp();
    const customer = d2Guard("customer", (_: object) => ({ ssn: "123-45-6789", name: "Bo Secret" }));
    asClerk(() => customer({ id: "secret-id" }));
    await flush();
    expect(sink.text).not.toMatch(/123-45|Secret|secret-id/);
  });

  it("holds arguments, and then outputs, when the level says so, but never what is masked", async () => {
    await setUp({ level: "full", mask: ["arguments.card.number", "output.ssn"] });
    const customer = d2Guard("customer", (_: object) => ({ ssn: "123-45-6789", name: "Bo", share: 0.5 }));
    asClerk(() => customer({ id: 7, card: { number: "card-4111", kind: "visa" } }));
    await flush();
    expect(sink.text).not.toMatch(/123-45-6|card-4111/);
    const [intent, , , , release] = sink.lines;
    expect(intent?.event.data.inputs.extensions.arguments).toEqual([
      { id: 7, card: { number: { $digest: digest("card-4111") }, kind: "visa" } },
    ]);
    expect(release?.event.correlation_id).toMatch(/:1:release$/);
    expect(release?.event.data.inputs.extensions.output).toEqual({
      ssn: { $digest: digest("123-45-6789") },
      name: "Bo",
      share: { $float: "0.5" },
    });
  });

  it("has the chain of its release, with what was changed", async () => {
    await setUp();
    const customer = d2Guard("customer", () => ({ ssn: "1", name: "Bo" }));
    const value = asClerk(() => customer());
    await flush();
    const chain = sink.lines.filter(({ event }) => event.correlation_id.endsWith(":release"));
    expect(chain.map(({ event }) => event.event_kind)).toEqual(["INTENT", "DECISION", "PROOF"]);
    expect(chain[2]?.event.data).toEqual({
      released_digest: digest(encodeTagged(value)),
      transforms: [{ path: "ssn", action: "redact" }],
    });
  });

  it("ends with its decision when it is refused, and says the rule", async () => {
    await setUp();
    const limited = d2Guard("limited", (_: object) => 1);
    const post = d2Guard("mail.send", () => 1);
    const read = d2Guard("db.read", () => 1);
    expect(() => asClerk(() => limited({ limit: 11 }))).toThrow(PermissionDeniedError);
    asClerk(() => {
      read();
      expect(() => post()).toThrow(PermissionDeniedError);
    });
    expect(() => d2Guard("limited", () => 1)()).toThrow();
    await flush();
    const denials = sink.lines.filter(({ event }) => event.data.gate?.decision === "DENY");
    expect(denials.map(({ event }) => event.data.gate.reason_code)).toEqual([
      "input_validation",
      "data_flow_violation",
      "no_context",
    ]);
    expect(denials[1]?.event.data.gate.reason_message).toBe(
      canonicalJson({ detail: "PII", rule: "metadata.data_flow.blocks.PII" }),
    );
    expect(denials[2]?.event.correlation_id).toBe("test:4");
    const [nobody] = sink.lines.slice(-2);
    expect(nobody?.event.data.inputs).not.toHaveProperty("principal_id");
    expect(sink.lines.at(-1)?.event.event_kind).toBe("DECISION");
  });

  it("is written as it was judged, though the function changes its arguments and result", async () => {
    await setUp({ level: "full" });
    const result = { list: [1] };
    const customer = d2Guard("customer", (given: { list: number[] }) => {
      given.list.push(99);
      return result;
    });
    asClerk(() => customer({ list: [1] }));
    result.list.push(98);
    await flush();
    expect(sink.text).not.toMatch(/\[1,9[89]/);
  });

  it("says where it stands: the history, the call around it, the sessions around its own", async () => {
    await setUp();
    const read = d2Guard("db.read", () => 1);
    const outer = d2Guard("outer", () => {
      read();
      runAs("bob", { roles: ["clerk"] }, () => read());
    });
    asClerk(() => outer());
    await flush();
    const intents = sink.lines
      .filter(({ event }) => event.data.inputs !== undefined)
      .map(({ event }) => event);
    expect(intents.map(({ data }) => data.inputs.extensions.history_length)).toEqual([0, 1, 0]);
    expect(intents[1]?.data.inputs.extensions.history_digest).toBe(digest(["0".repeat(64), "outer"]));
    const [first, second, third] = intents;
    expect(first?.data).not.toHaveProperty("session");
    expect(second?.data.session).toEqual({ within: first?.correlation_id });
    expect(third?.data.session).toEqual({
      within: first?.correlation_id,
      around: [{ id: first?.correlation_id.slice(0, 36), mirrored: false }],
    });
    const order = sink.lines.map(({ event }) => `${event.event_kind} ${event.correlation_id.slice(37)}`);
    expect(order).toEqual([
      ..."INTENT 1,DECISION 1,PROOF 1,INTENT 2,DECISION 2,PROOF 2,EXECUTION 2".split(","),
      ..."INTENT 3,DECISION 3,PROOF 3,EXECUTION 3,INTENT end,EXECUTION 1,INTENT end".split(","),
    ]);
  });

  it("tells of a function that threw, with its text at the level `full` alone", async () => {
    for (const level of ["digests", "full"]) {
      await setUp({ level });
      const read = d2Guard("db.read", () => {
        throw new Error("no row 17");
      });
      expect(() => asClerk(() => read())).toThrow("no row 17");
      await flush();
      const execution = sink.lines.find(({ event }) => event.event_kind === "EXECUTION");
      expect(execution?.trace).toEqual({ success: false, failure_code: "TASK_EXCEPTION" });
      expect(execution?.observational?.error).toBe(level === "full" ? "no row 17" : undefined);
      await shutdownAllRbac();
      sink = new TestSink();
    }
  });

  it("of an async function or a stream ends when that ends", async () => {
    await setUp();
    const read = d2Guard("db.read", async () => 5);
    const items = d2Guard("limited", function* (_: object) {
      yield 1;
      yield 2;
    });
    await asClerk(() => read());
    asClerk(() => expect([...items({ limit: 1 })]).toEqual([1, 2]));
    await flush();
    const ends = sink.lines.filter(({ event }) => event.event_kind === "EXECUTION");
    expect(ends.map(({ event }) => event.data.output_digest)).toEqual([
      digest(5),
      digest({ $kind: "object" }),
    ]);
  });
});

describe("a decision log", () => {
  it("writes in batches, after the calls", async () => {
    await setUp();
    const read = d2Guard("db.read", () => 1);
    asClerk(() => {
      for (let n = 0; n < 100; n++) read();
    });
    expect(sink.appends).toBe(0);
    await flush();
    expect(sink.lines.length).toBe(401);
    expect(sink.appends).toBeLessThan(5);
    expect(sink.syncs).toBe(1);
  });

  it("with `sync` has the decision on the disk before the function runs, and the end before the value is there", async () => {
    await setUp({ sync: true });
    let during = 0;
    const read = d2Guard("db.read", () => {
      during = sink.lines.length;
      return sink.syncs;
    });
    asClerk(() => {
      expect(read()).toBe(1);
      expect(during).toBe(3);
      expect(sink.lines.length).toBe(4);
      expect(sink.syncs).toBe(2);
    });
  });

  it("with `sync` refuses calls while it cannot be written, and says how many are missing", async () => {
    await setUp({ sync: true });
    let ran = 0;
    const read = d2Guard("db.read", () => {
      ran += 1;
      if (ran === 2) sink.failing = true;
      return "value";
    });
    asClerk(() => {
      read();
      expect(() => read()).toThrow(
        expect.objectContaining({ reason: "evaluation_error", detail: "decision_log" }),
      );
      expect(() => read()).toThrow(PermissionDeniedError);
      expect(ran).toBe(2);
      sink.failing = false;
      read();
    });
    await flush();
    const lost = sink.lines.filter(({ event }) => event.data.lost_calls !== undefined);
    expect(lost.map(({ event }) => [event.correlation_id, event.data.lost_calls])).toEqual([
      ["test:lost:3", 1],
    ]);
    expect(getPolicyManager().decisionLog).toMatchObject({ lost: 1, calls: 4, waiting: 0 });
  });

  it("with `sync` refuses a call that is written but not safe, and the log can still be replayed", async () => {
    let unsafe = false;
    sink.sync = () => {
      if (unsafe) throw new Error("the disk is gone");
    };
    await setUp({ sync: true });
    let ran = 0;
    const read = d2Guard("db.read", () => {
      ran += 1;
    });
    asClerk(() => {
      read();
      unsafe = true;
      expect(() => read()).toThrow(expect.objectContaining({ detail: "decision_log" }));
      unsafe = false;
      read();
    });
    expect(ran).toBe(2);
    const policies = (digest: string) => ({ text: sink.policies.get(digest) ?? "" });
    const { ok, replay } = await replayLog([sink.text], { policies });
    expect([ok, replay.matched, replay.notReplayable]).toEqual([true, 3, 0]);
  });

  it("drops calls when its queue is full, counts them, and breaks none", async () => {
    await setUp({ queueLimit: 2 });
    const read = d2Guard("db.read", () => 1);
    asClerk(() => {
      for (let n = 0; n < 10; n++) expect(read()).toBe(1);
    });
    await flush();
    asClerk(() => read());
    await flush();
    const lost = sink.lines.filter(({ event }) => event.data.lost_calls !== undefined);
    expect(lost.map(({ event }) => event.data.lost_calls)).toEqual([9]);
    expect(getPolicyManager().decisionLog).toMatchObject({ lost: 9, calls: 11 });
    expect(sink.lines.at(-2)?.event.correlation_id).toMatch(/:11$/);
  });

  it("with `block` writes at once when its queue is full, and loses nothing", async () => {
    await setUp({ queueLimit: 4, whenFull: "block" });
    const read = d2Guard("db.read", () => 1);
    asClerk(() => {
      for (let n = 0; n < 50; n++) read();
    });
    await flush();
    expect(sink.lines.length).toBe(201);
    expect(getPolicyManager().decisionLog?.lost).toBe(0);
  });

  it("with `deny` refuses calls when its queue is full", async () => {
    await setUp({ queueLimit: 2, whenFull: "deny" });
    const read = d2Guard("db.read", () => 1);
    asClerk(() => {
      read();
      expect(() => read()).toThrow(PermissionDeniedError);
    });
  });

  it("goes on where it was after its sink has failed", async () => {
    await setUp();
    const read = d2Guard("db.read", () => 1);
    sink.failing = true;
    asClerk(() => read());
    await expect(flush()).rejects.toThrow();
    asClerk(() => read());
    sink.failing = false;
    await flush();
    expect(sink.lines.length).toBe(10);
  });

  it("waits for a sink that answers with a promise, and keeps the order", async () => {
    class Slow extends TestSink {
      override async append(...given: Parameters<TestSink["append"]>): Promise<void> {
        await new Promise((resolve) => setImmediate(resolve));
        super.append(...given);
      }
    }
    sink = new Slow();
    await setUp();
    const read = d2Guard("db.read", async () => 1);
    await asClerk(async () => {
      for (let n = 0; n < 20; n++) {
        await read();
        if (n % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await flush();
    expect(sink.lines.length).toBe(81);
  });

  it("is shared by instances that name the same sink", async () => {
    await setUp();
    await setUp({}, { instance: "second", tenant: "other" });
    const read = d2Guard("db.read", () => 1);
    const second = d2Guard("db.read", { instance: "second" }, () => 1);
    asClerk(() => {
      read();
      second();
    });
    await flush();
    const intents = sink.lines.filter(({ event }) => event.data.inputs !== undefined);
    expect(intents.map(({ event }) => event.data.inputs.extensions.history_length)).toEqual([0, 1]);
    expect(intents.map(({ event }) => event.data.tenant_id)).toEqual(["default", "other"]);
    await shutdownAllRbac();
    expect(sink.closed).toBe(true);
    expect(sink.lines.at(-1)?.event.correlation_id).toMatch(/:end$/);
  });

  it("goes where `D2_DECISION_LOG` says, and the next start goes on with it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "d2-recording-"));
    try {
      vi.stubEnv("D2_DECISION_LOG", join(folder, "app.jsonl"));
      const read = d2Guard("db.read", () => 1);
      for (const lines of [5, 10]) {
        await configureRbac({ policy: POLICY, logger: SILENT });
        asClerk(() => read());
        await shutdownAllRbac();
        const text = readFileSync(join(folder, "app.jsonl"), "utf8");
        const { ok, counts } = await verifyLog([text]);
        expect([ok, counts.lines]).toEqual([true, lines]);
      }
      expect(readdirSync(join(folder, "policies")).length).toBe(1);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [{ decisionLog: {} }, /either `path` or `sink`/],
    [{ decisionLog: { path: "x", levl: "full" } }, /unknown option `levl`/],
    [{ decisionLog: { path: "x", level: "all" } }, /`decisionLog.level` must be/],
    [{ decisionLog: { path: "x", queueLimit: 0 } }, /`decisionLog.queueLimit` must be a whole number/],
    [{ decisionLog: { sink: {} } }, /must have the methods/],
    [{ decisionLog: 5 }, /must be a path/],
    [{ decisionLog: { path: "x", mask: ["args.x"] } }, /the masked path `args.x` names no place/],
    [{ tenant: "" }, /`tenant` must be/],
  ])("refuses options that it cannot honour: %j", async (options, message) => {
    await expect(
      configureRbac({ policy: POLICY, logger: SILENT, ...options } as RbacOptions),
    ).rejects.toThrow(message);
  });
});
