import { metrics, trace } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAs } from "../src/context/user.js";
import { d2Guard } from "../src/guard/d2-guard.js";
import { configureRbac, shutdownAllRbac } from "../src/setup/configure.js";
import { instanceSlot } from "../src/setup/registry.js";
import { LogBook } from "./policy-folder.js";

/** Collects when the test says so. */
class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const logger = new LogBook();

const policy = {
  metadata: {
    name: "measured",
    data_flow: { labels: { pii: ["PII"] }, blocks: { PII: ["sink"] } },
  },
  policies: [
    {
      role: "agent",
      permissions: [
        "first",
        "second",
        "fails",
        "pii",
        "sink",
        { tool: "narrow", allow: true, conditions: { input: { limit: { max: 10 } } } },
        { tool: "checked", allow: true, conditions: { output: { ok: { eq: true } } } },
      ],
      sequence: [{ deny: ["first", "second"] }],
    },
  ],
};

let reader: ManualReader;
let spans: InMemorySpanExporter;

beforeEach(() => {
  for (const name of ["D2_TOKEN", "D2_TELEMETRY", "OTEL_EXPORTER_OTLP_ENDPOINT", "D2_DECISION_LOG"]) {
    vi.stubEnv(name, undefined);
  }
  reader = new ManualReader();
  spans = new InMemorySpanExporter();
});
afterEach(async () => {
  await shutdownAllRbac();
  metrics.disable();
  trace.disable();
  vi.unstubAllEnvs();
});

const useMetrics = () => metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
const useSpans = () =>
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
  );

/** The points of every instrument, as `name {attributes} value`; of histograms the count. */
async function collect(): Promise<string[]> {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics
    .filter(({ scope }) => scope.name === "d2.sdk")
    .flatMap(({ metrics: all }) => all)
    .flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => {
        const number = typeof value === "number" ? value : `#${value.count}`;
        const words = Object.entries(attributes).map(([key, it]) => `${key}=${String(it)}`);
        return `${descriptor.name}[${descriptor.unit}] {${words.join()}} ${number}`;
      }),
    )
    .sort();
}

function tool(id: string, fn: (...args: never[]) => unknown = () => 1): (...args: unknown[]) => unknown {
  // The test calls it as the policy has it.
  const guarded = d2Guard(id, { onDeny: "refused" }, fn) as (...args: unknown[]) => unknown;
  return (...args) => {
    try {
      return guarded(...args);
    } catch {
      return "thrown";
    }
  };
}

describe("metrics", () => {
  it("tell of decisions, calls, guardrails and chains, collected at any moment", async () => {
    useMetrics();
    await configureRbac({ policy, logger, clock: () => 0 });
    tool("first")();
    runAs("alice", { roles: ["agent"] }, () => {
      tool("first")();
      tool("second")();
      tool("narrow")({ limit: 1 });
      tool("narrow")({ limit: 99 });
      tool("checked", () => ({ ok: false }))();
      tool("fails", () => {
        throw new Error("own");
      })();
      tool("pii")();
      tool("sink")();
      tool("nowhere")();
    });
    expect(await collect()).toMatchInlineSnapshot(`
      [
        "d2.authz.decision.latency.ms[ms] {tool_id=checked,result=allowed,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=fails,result=allowed,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=first,result=allowed,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=first,result=denied,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=narrow,result=allowed,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=narrow,result=denied,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=nowhere,result=denied,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=pii,result=allowed,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=second,result=denied,mode=local} #1",
        "d2.authz.decision.latency.ms[ms] {tool_id=sink,result=denied,mode=local} #1",
        "d2.authz.decision.total[1] {tool_id=checked,result=allowed,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=checked,result=denied,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=fails,result=allowed,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=first,result=allowed,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=first,result=denied,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=narrow,result=allowed,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=narrow,result=denied,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=nowhere,result=denied,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=pii,result=allowed,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=second,result=denied,mode=local} 1",
        "d2.authz.decision.total[1] {tool_id=sink,result=denied,mode=local} 1",
        "d2.authz.denied.reason.total[1] {reason=data_flow_violation,mode=local} 1",
        "d2.authz.denied.reason.total[1] {reason=input_validation,mode=local} 1",
        "d2.authz.denied.reason.total[1] {reason=missing_policy,mode=local} 1",
        "d2.authz.denied.reason.total[1] {reason=no_context,mode=local} 1",
        "d2.authz.denied.reason.total[1] {reason=output_validation,mode=local} 1",
        "d2.authz.denied.reason.total[1] {reason=sequence_violation,mode=local} 1",
        "d2.authz.missing_policy.total[1] {d2.tool_id=nowhere,mode=local} 1",
        "d2.call_chain.depth[1] {current_tool=checked} #1",
        "d2.call_chain.depth[1] {current_tool=fails} #1",
        "d2.call_chain.depth[1] {current_tool=first} #1",
        "d2.call_chain.depth[1] {current_tool=narrow} #1",
        "d2.call_chain.depth[1] {current_tool=pii} #1",
        "d2.context.leak.total[1] {} 1",
        "d2.data_flow.blocked.total[1] {tool_id=sink,blocking_label=PII} 1",
        "d2.data_flow.event.total[1] {source_tool=checked,destination_tool=fails} 1",
        "d2.data_flow.event.total[1] {source_tool=fails,destination_tool=pii} 1",
        "d2.data_flow.event.total[1] {source_tool=first,destination_tool=narrow} 1",
        "d2.data_flow.event.total[1] {source_tool=narrow,destination_tool=checked} 1",
        "d2.facts.recorded.total[1] {fact=PII} 1",
        "d2.feature.usage.total[1] {feature=data_flow_labels} 1",
        "d2.feature.usage.total[1] {feature=input_validation,enabled=true} 2",
        "d2.feature.usage.total[1] {feature=output_guardrails,enabled=true} 1",
        "d2.guardrail.latency.ms[ms] {type=input_validation,tool_id=narrow,result=allowed} #1",
        "d2.guardrail.latency.ms[ms] {type=input_validation,tool_id=narrow,result=denied} #1",
        "d2.guardrail.latency.ms[ms] {type=output_validation,tool_id=checked,result=denied} #1",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=checked} #1",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=fails} #1",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=first} #2",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=narrow} #2",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=nowhere} #1",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=pii} #1",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=second} #1",
        "d2.guardrail.latency.ms[ms] {type=total_authz_overhead,tool_id=sink} #1",
        "d2.policy.load.latency.ms[ms] {mode=local} #1",
        "d2.policy.local.tool_count[1] {} 7",
        "d2.sequence.pattern.blocked.total[1] {pattern_type=direct_2hop,source_tool=first,target_tool=second,chain_length=2,user_role=agent} 1",
        "d2.tool.cooccurrence.total[1] {tool_a=checked,tool_b=fails,within_request=true} 1",
        "d2.tool.cooccurrence.total[1] {tool_a=fails,tool_b=pii,within_request=true} 1",
        "d2.tool.cooccurrence.total[1] {tool_a=first,tool_b=narrow,within_request=true} 1",
        "d2.tool.cooccurrence.total[1] {tool_a=narrow,tool_b=checked,within_request=true} 1",
        "d2.tool.exec.latency.ms[ms] {tool_id=checked,status=denied} #1",
        "d2.tool.exec.latency.ms[ms] {tool_id=fails,status=error} #1",
        "d2.tool.exec.latency.ms[ms] {tool_id=first,status=success} #1",
        "d2.tool.exec.latency.ms[ms] {tool_id=narrow,status=success} #1",
        "d2.tool.exec.latency.ms[ms] {tool_id=pii,status=success} #1",
        "d2.tool.invocation.total[1] {tool_id=checked,status=denied} 1",
        "d2.tool.invocation.total[1] {tool_id=fails,status=error} 1",
        "d2.tool.invocation.total[1] {tool_id=first,status=denied} 1",
        "d2.tool.invocation.total[1] {tool_id=first,status=success} 1",
        "d2.tool.invocation.total[1] {tool_id=narrow,status=denied} 1",
        "d2.tool.invocation.total[1] {tool_id=narrow,status=success} 1",
        "d2.tool.invocation.total[1] {tool_id=nowhere,status=denied} 1",
        "d2.tool.invocation.total[1] {tool_id=pii,status=success} 1",
        "d2.tool.invocation.total[1] {tool_id=second,status=denied} 1",
        "d2.tool.invocation.total[1] {tool_id=sink,status=denied} 1",
        "d2.user.violation_attempts.total[1] {violation_type=data_flow} 1",
        "d2.user.violation_attempts.total[1] {violation_type=input_validation} 1",
        "d2.user.violation_attempts.total[1] {violation_type=output_validation} 1",
        "d2.user.violation_attempts.total[1] {violation_type=sequence} 1",
      ]
    `);
  });

  it("tell users apart only where that is asked for", async () => {
    useMetrics();
    await configureRbac({ policy, logger, telemetry: { mode: "metrics", userIdsInMetrics: true } });
    runAs("alice", { roles: ["agent"] }, () => [tool("first")(), tool("second")()]);
    const told = (await collect()).filter((line) => line.includes("user_id"));
    expect(told).toEqual([
      "d2.call_chain.depth[1] {user_id=alice,current_tool=first} #1",
      "d2.user.violation_attempts.total[1] {user_id=alice,violation_type=sequence} 1",
    ]);
  });

  it("count exactly however many calls there are in one turn", async () => {
    useMetrics();
    await configureRbac({ policy, logger });
    const first = tool("first");
    runAs("alice", { roles: ["agent"] }, () => {
      for (let n = 0; n < 5000; n += 1) first();
    });
    expect(await collect()).toContain(
      "d2.authz.decision.total[1] {tool_id=first,result=allowed,mode=local} 5000",
    );
  });

  it("of a value that there is once are told once, also after a second set-up", async () => {
    useMetrics();
    await configureRbac({ policy, logger });
    await configureRbac({ policy, logger });
    expect((await collect()).filter((line) => line.includes("local.tool_count"))).toEqual([
      "d2.policy.local.tool_count[1] {} 7",
    ]);
  });
});

describe("spans", () => {
  it("are made of each check where a tracer is installed, below the span that is active", async () => {
    useSpans();
    await configureRbac({ policy, logger });
    runAs("alice", { roles: ["agent"] }, () => [tool("first")(), tool("second")()]);
    expect(spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes])).toEqual([
      [
        "d2.check:first",
        { "d2.tool_id": "first", "d2.result": "allowed", "d2.reason": "ok", "d2.mode": "local" },
      ],
      [
        "d2.check:second",
        {
          "d2.tool_id": "second",
          "d2.result": "denied",
          "d2.reason": "sequence_violation",
          "d2.mode": "local",
          "d2.rule": "policies[0].sequence[0]",
        },
      ],
    ]);
    for (const span of spans.getFinishedSpans()) expect(span.duration[0]).toBe(0);
  });
});

describe("telemetry that is off", () => {
  const recorder = () => instanceSlot().enforcer?.recorder;

  it.each([
    ["nobody is there to be told", () => undefined, {}],
    ["it is switched off", useMetrics, { telemetry: "off" as const }],
    [
      "only usage events are wanted, and there is no control plane",
      useMetrics,
      { telemetry: "usage" as const },
    ],
  ])("leaves the guard nothing to ask for: %s", async (_, before, options) => {
    before();
    await configureRbac({ policy, logger, ...options });
    expect(recorder()).toBeUndefined();
  });

  it.each(["", "0", "none", "off", "OFF", "no", "false"])("is so by D2_TELEMETRY=%j", async (word) => {
    useMetrics();
    vi.stubEnv("D2_TELEMETRY", word);
    await configureRbac({ policy, logger });
    expect(recorder()).toBeUndefined();
  });

  it.each(["*", "1", "true", "yes", "all", "metrics", "whatever"])(
    "is not so by D2_TELEMETRY=%j",
    async (word) => {
      useMetrics();
      vi.stubEnv("D2_TELEMETRY", word);
      await configureRbac({ policy, logger });
      expect(recorder()).toBeDefined();
    },
  );

  it.each([
    [{ telemetry: "loud" }, "`telemetry` must be one of"],
    [{ telemetry: 1 }, "`telemetry` must be one of"],
    [{ telemetry: { mode: "loud" } }, "`telemetry.mode` must be one of"],
    [{ telemetry: { hashUserIds: "yes" } }, "`telemetry.hashUserIds` must be true or false"],
    [{ telemetry: { hash: true } }, "unknown option `telemetry.hash`"],
  ])("or anything is not to be said as %j", async (options, message) => {
    // A cast, because the types refuse these already.
    const refused = configureRbac({ policy, logger, ...(options as object) });
    await expect(refused).rejects.toThrow(message);
  });
});
