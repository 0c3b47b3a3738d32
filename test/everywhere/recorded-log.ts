import { configureRbac, d2Guard, getPolicyManager, recordFact, runAs, shutdownAllRbac } from "d2-sdk";
import { TestSink } from "../../packages/sdk/test/recording.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const POLICY = {
  metadata: {
    name: "helpdesk ✓",
    tool_groups: { egress: ["mail.send", "web.post"] },
    data_flow: { labels: { "crm.*": ["PII"] }, blocks: { PII: ["web.post"] } },
  },
  policies: [
    {
      role: "agent",
      permissions: [
        "crm.read",
        "@egress",
        "clean",
        "plan",
        {
          tool: "search",
          conditions: {
            input: {
              limit: { min: 1, max: 50 },
              text: { matches: "^[a-zß-ÿ ]+$" },
              "filter.tags": { contains: "open" },
            },
          },
        },
        {
          tool: "customer",
          conditions: {
            output: {
              "rows.ssn": { action: "filter" },
              note: { matches: "\\d{3}-\\d{4}", action: "redact" },
            },
          },
        },
      ],
      sequence: [{ deny: ["crm.read", "mail.send"] }, { allow: ["crm.read", "clean", "mail.send"] }],
    },
    { role: "intern", permissions: ["search"] },
  ],
};

/** A log of calls of every kind, made by the guard. */
export async function recordedLog(): Promise<{ log: string; policies: Record<string, string> }> {
  const sink = new TestSink();
  const decisionLog = { sink, level: "full" as const, mask: ["arguments.secret"] };
  await configureRbac({ policy: POLICY, logger: SILENT, decisionLog });
  const guard = (id: string, fn: (given: object) => unknown) => d2Guard(id, { onDeny: "refused" }, fn);
  const read = guard("crm.read", () => ({ balance: 0.1, big: 10n ** 30n, odd: [-0, Number.NaN, undefined] }));
  const send = guard("mail.send", () => "sent");
  const post = guard("web.post", () => "posted");
  const clean = guard("clean", ({ fail }: { fail?: boolean }) => {
    if (fail === true) throw new Error("no");
  });
  const search = d2Guard(
    "search",
    { onDeny: [], params: ["text", "limit", "filter"] },
    (...given: unknown[]) => given,
  );
  const customer = guard("customer", () => ({
    rows: [{ name: "Ödön", ssn: "1" }, { ssn: "2" }],
    note: "call 555-1234",
    [JSON.parse('"__proto__"')]: 1,
  }));
  const plan = d2Guard("plan", { onDeny: "refused" }, async (steps: object) => {
    await Promise.all([read({ inside: steps }), send({})]);
    return runAs("zoë", { roles: ["agent"] }, () => [read({}), clean({}), send({})]);
  });
  for (let round = 0; round < 12; round++) {
    for (const [user, roles] of [
      ["ann", ["agent"]],
      ["bob", ["intern", "unknown"]],
      ["zoë", ["agent", "intern"]],
    ] as const) {
      await runAs(user, { roles }, async () => {
        read({ round, secret: "s", at: round / 3 });
        send({ to: "\u{1F600}", deep: [[["x"]]] });
        if (round % 3 === 0) {
          try {
            clean({ fail: round % 2 === 0 });
          } catch {
            // The function has failed, which excuses nothing.
          }
        }
        send({});
        post({});
        if (round % 4 === 0) recordFact("PII");
        post({ $tag: 1 });
        search("größe", round, { tags: ["open"] });
        search("9", 51);
        customer({});
        await plan({ round });
        send({});
      });
    }
  }
  read({});
  await getPolicyManager().flushDecisionLog();
  await shutdownAllRbac();
  return { log: sink.text, policies: Object.fromEntries(sink.policies) };
}
