import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordFact } from "../src/context/facts.js";
import { runAs } from "../src/context/user.js";
import { d2Guard } from "../src/guard/d2-guard.js";
import { instanceSlot } from "../src/setup/registry.js";
import { appWithEvents } from "./ingest-server.js";

const POLICIES = [
  {
    role: "agent",
    permissions: [
      "free",
      "first",
      "second",
      "sink",
      "pii",
      { tool: "narrow", allow: true, conditions: { input: { limit: { max: 10 } } } },
      { tool: "checked", allow: true, conditions: { output: { ok: { eq: true } } } },
      { tool: "cleaned", allow: true, conditions: { output: { ssn: { action: "redact" } } } },
      { tool: "global", allow: true, conditions: { output: { deny_if_patterns: ["forbidden"] } } },
    ],
    sequence: [{ deny: ["first", "second"], reason: "not one after the other" }],
  },
  { role: "other", permissions: ["elsewhere"] },
];

const METADATA = {
  name: "billing",
  data_flow: { labels: { pii: ["PII"] }, blocks: { PII: ["sink"] } },
};

const INSTANCE = "usage";

const start = (more: Parameters<typeof appWithEvents>[2] = {}) =>
  appWithEvents(INSTANCE, POLICIES, { metadata: METADATA, ...more });

type Any = (...args: unknown[]) => unknown;

/** Calls a tool whose function gives `value`, and answers with what it was refused for. */
function call(tool: string, args: readonly unknown[] = [], value: unknown = undefined): string {
  const guarded = d2Guard(tool, { instance: INSTANCE }, (() => value) as Any);
  try {
    guarded(...args);
    return "ok";
  } catch (error) {
    return error instanceof Error && "reason" in error ? String(error.reason) : "thrown";
  }
}

const asAgent = <T>(block: () => T): T => runAs("alice", { roles: ["agent"] }, block);

describe("usage events", () => {
  it("tell of every denial with its exact reason", async () => {
    const { server, telemetry, time } = await start();
    expect(call("free")).toBe("no_context");
    asAgent(() => {
      expect(call("nowhere")).toBe("missing_policy");
      expect(call("elsewhere")).toBe("rbac_denied");
      expect(call("narrow", [{ limit: 11 }])).toBe("input_validation");
      expect(call("checked", [], { ok: false })).toBe("output_validation");
      expect(call("global", [], { text: "forbidden" })).toBe("output_sanitization");
      expect(call("first")).toBe("ok");
      expect(call("second")).toBe("sequence_violation");
      expect(call("pii")).toBe("ok");
      expect(call("sink")).toBe("data_flow_violation");
    });
    const slot = instanceSlot(INSTANCE);
    const { enforcer } = slot;
    if (enforcer === undefined) throw new Error("it is set up");
    const heavy = new URL("./nothing.js", import.meta.url);
    slot.enforcer = { ...enforcer, strict: true };
    d2Guard.worker("free", heavy, { instance: INSTANCE, onDeny: 0 })();
    slot.enforcer = { ...enforcer, plan: undefined };
    expect(call("free")).toBe("policy_unavailable");
    const broken = {
      ...enforcer,
      clock: () => Number.NaN,
      plan: Object.assign(Object.create(enforcer.plan ?? null), { expiresAt: 1 }),
    };
    slot.enforcer = broken;
    expect(asAgent(() => call("free"))).toBe("policy_expired");
    time.now += 1;
    await telemetry.close();
    const denials = server.of("authz_decision").filter(({ result }) => result === "denied");
    expect(denials.map(({ tool_id, reason }) => `${tool_id} ${reason}`)).toEqual([
      "free no_context",
      "nowhere missing_policy",
      "elsewhere rbac_denied",
      "narrow input_validation",
      "checked output_validation",
      "global output_sanitization",
      "second sequence_violation",
      "sink data_flow_violation",
      "free strict_sync",
      "free policy_unavailable",
      "free policy_expired",
    ]);
    expect(denials.find(({ tool_id }) => tool_id === "narrow")).toMatchObject({
      violation_count: 1,
      violations: [{ path: "limit", operator: "max" }],
      user_id: "alice",
      mode: "cloud",
    });
    expect(denials.find(({ tool_id }) => tool_id === "second")).toMatchObject({
      sequence_mode: "deny",
      source_tool: "first",
      call_history: ["checked", "global", "first"],
      chain_length: 4,
      pattern_type: "complex_4hop",
      user_role: "agent",
    });
    expect(denials.find(({ tool_id }) => tool_id === "sink")).toMatchObject({
      blocking_labels: ["PII"],
      violated_facts: ["PII"],
      all_facts: ["PII"],
    });
    expect(server.of("context_leak")).toMatchObject([{ tool_id: "free" }]);
  });

  it("tell of each guardrail, of labels, of tools that follow each other, and of long sessions", async () => {
    const { server, telemetry } = await start();
    asAgent(() => {
      call("narrow", [{ limit: 1 }]);
      call("narrow", [{ limit: 99 }]);
      call("checked", [], { ok: true });
      call("checked", [], { ok: false });
      call("cleaned", [], { ssn: "123" });
      call("pii");
      call("free");
      call("free");
      call("free");
    });
    await telemetry.close();
    expect(
      server
        .of("guardrail_overhead")
        .map(({ guardrail_type, tool_id, result }) => `${guardrail_type} ${tool_id} ${result}`),
    ).toEqual([
      "input_validation narrow allowed",
      "input_validation narrow denied",
      "output_validation checked allowed",
      "output_validation checked denied",
      "output_sanitization cleaned completed",
    ]);
    expect(server.of("output_sanitized")).toMatchObject([
      {
        tool_id: "cleaned",
        modified: true,
        fields_modified: ["ssn"],
        actions_applied: { ssn: "redact" },
        field_count: 1,
      },
    ]);
    expect(server.of("data_flow_labels_emitted")).toMatchObject([{ tool_id: "pii", labels: ["PII"] }]);
    expect(server.of("data_flow").map((it) => [it["source_tool"], it["destination_tool"]])).toEqual([
      ["narrow", "checked"],
      ["checked", "checked"],
      ["checked", "cleaned"],
      ["cleaned", "pii"],
      ["pii", "free"],
      ["free", "free"],
    ]);
    expect(server.of("anomaly_detected")).toMatchObject([
      { anomaly_type: "unusual_call_chain_depth", call_chain_depth: 5, baseline: 3 },
    ]);
    expect(server.of("total_authz_overhead")).toHaveLength(9);
  });

  it("say where they come from, and share a request id within a session", async () => {
    const { server, telemetry, time } = await start();
    asAgent(() => [call("free"), call("free")]);
    asAgent(() => call("free"));
    await telemetry.close();
    const [one, two, three] = server.of("authz_decision");
    expect(one).toMatchObject({
      service: "unknown",
      pid: process.pid,
      flush_interval_s: 60,
      host: expect.any(String),
    });
    expect(one?.["request_id"]).toBe(two?.["request_id"]);
    expect(three?.["request_id"]).not.toBe(one?.["request_id"]);
    expect(server.events[0]?.occurred_at).toBe(new Date(time.now).toISOString().replace("Z", "+00:00"));
    const [post] = server.posts;
    expect(post?.headers["x-request-id"]).toBe(post?.id);
    expect(post?.headers.authorization).toBe("Bearer d2r_secret-token");
    expect(post?.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("hold user ids as SHA-256 where that is asked for", async () => {
    const { server, telemetry } = await start({ plan: { hashUserIds: true } });
    asAgent(() => call("free"));
    await telemetry.close();
    expect(server.of("authz_decision")[0]?.["user_id"]).toBe(
      "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90",
    );
    expect(server.posts[0]?.text).not.toContain("alice");
  });

  it("never hold a value of an argument, an output or an error", async () => {
    const { server, telemetry } = await start();
    const secret = fc.string({ minLength: 1 }).map((text) => `S3CRET${text}`);
    const tool = fc.constantFrom("free", "narrow", "checked", "cleaned", "global", "nowhere", "pii");
    const value = fc.oneof(
      secret,
      fc.record({ ok: secret, ssn: secret, limit: secret, text: secret.map((it) => `forbidden ${it}`) }),
      fc.dictionary(secret, secret),
    );
    fc.assert(
      fc.property(tool, value, value, fc.boolean(), (id, arg, output, throws) => {
        const fn = () => {
          if (throws) throw new Error(JSON.stringify(output));
          return output;
        };
        const guarded = d2Guard(id, { instance: INSTANCE, onDeny: 0 }, fn as Any);
        try {
          asAgent(() => guarded(arg));
        } catch {
          // The tool's own error.
        }
      }),
      { numRuns: 200 },
    );
    await telemetry.close();
    expect(server.events.length).toBeGreaterThan(300);
    for (const { text } of server.posts) expect(text).not.toContain("S3CRET");
  });

  it("are told of at the rates that the control plane wants, denials always", async () => {
    const draws = [0.2, 0.7, 0.2, 0.7];
    const { server, telemetry, timers } = await start({ random: () => draws.shift() ?? 0.5 });
    server.account = {
      quotas: { ingest_interval: 7 },
      event_sample: { authz_decision: 0.5, total_authz_overhead: 0 },
    };
    asAgent(() => call("free"));
    await timers.until((wait) => wait < 10_000);
    draws.splice(0, 4, 0.2, 0.9, 0.7, 0.9, 0.9, 0.9);
    asAgent(() => [call("free"), call("free"), call("nowhere")]);
    await telemetry.close();
    const [, ...later] = server.of("authz_decision");
    expect(later.map(({ tool_id }) => tool_id)).toEqual(["free", "nowhere"]);
    expect(server.of("total_authz_overhead")).toHaveLength(1);
    expect(later[0]?.["flush_interval_s"]).toBe(7);
  });

  it("hold facts that the app has recorded only where they block", async () => {
    const { server, telemetry } = await start();
    asAgent(() => {
      recordFact("PII");
      call("free");
      call("sink");
    });
    await telemetry.close();
    expect(server.of("authz_decision").map((it) => it["all_facts"])).toEqual([undefined, ["PII"]]);
  });
});
