import { ConfigurationError } from "d2-core";
import { describe, expect, it } from "vitest";
import { compareLog } from "../src/log.js";
import { SAMPLE_POLICY, sampleLog } from "./log-sample.js";
import { type Level, LogWriter } from "./log-writer.js";

const compare = (writer: LogWriter, against: string | object, more: object = {}) =>
  compareLog(writer.text, { policies: () => writer.policy, against, ...more });

describe("comparing a log with another policy", () => {
  it("finds no change under the same policy", async () => {
    for (const level of ["full", "arguments", "digests"] satisfies Level[]) {
      const { writer } = sampleLog(level);
      const { ok, comparison, counts, replay } = await compare(writer, SAMPLE_POLICY);
      expect(ok).toBe(true);
      expect(comparison.changes.total).toBe(0);
      expect(comparison.compared).toBe(replay.matched);
      const { not_replayed: left = 0 } = comparison.notCompared;
      expect(comparison.compared + left).toBeLessThanOrEqual(counts.kinds.DECISION);
    }
  });

  it("takes the other policy as text, object or loaded", async () => {
    const { writer } = sampleLog();
    const object = { policies: [{ role: "analyst", permissions: "*" }] };
    const first = await compare(writer, object);
    expect(first.comparison.changes.total).toBeGreaterThan(0);
    expect(await compare(writer, JSON.stringify(object))).toEqual(first);
    expect(await compare(writer, new LogWriter(object).policy)).toEqual(first);
    await expect(compare(writer, "policies: 1")).rejects.toBeInstanceOf(ConfigurationError);
  });

  it("lists what would be refused, by user, role, tool and reason", async () => {
    const { writer } = sampleLog();
    const { comparison } = await compare(writer, SAMPLE_POLICY.replace("      - net.get\n", ""));
    const { changes } = comparison;
    expect(changes.kinds).toEqual({ allow_to_deny: 2, deny_to_allow: 0, reason: 0, transforms: 0 });
    expect(changes.byUser.map(({ name, changes: count }) => [name, count])).toEqual([
      ["alice", 1],
      ["carol", 1],
    ]);
    expect(changes.byRole).toMatchObject([{ name: "analyst", changes: 2 }]);
    expect(changes.byTool).toMatchObject([{ name: "net.get", changes: 2 }]);
    expect(changes.byReason).toMatchObject([{ name: "ok -> missing_policy", kinds: { allow_to_deny: 2 } }]);
    const [first] = changes.examples;
    const line = JSON.parse(writer.lines[first?.index ?? 0] ?? "");
    expect(line.event).toMatchObject({ correlation_id: first?.correlationId, event_kind: "DECISION" });
    expect(first).toMatchObject({
      kind: "allow_to_deny",
      release: false,
      tool: "net.get",
      user: "carol",
      roles: ["analyst"],
      before: { outcome: "allow", reason: "ok" },
      after: { outcome: "deny", reason: "missing_policy" },
    });
  });

  it("lists what would be allowed, and other reasons", async () => {
    const { writer } = sampleLog();
    const loose = await compare(writer, SAMPLE_POLICY.replace("startsWith: /tmp", "startsWith: /"));
    expect(loose.comparison.changes.kinds).toEqual({
      allow_to_deny: 0,
      deny_to_allow: 1,
      reason: 0,
      transforms: 0,
    });
    const other = await compare(writer, SAMPLE_POLICY.replace("- db.read", "- db.read\n      - no.such"));
    expect(other.comparison.changes.byTool).toMatchObject([{ name: "no.such", changes: 1 }]);
    const named = await compare(writer, `${SAMPLE_POLICY}  - { role: other, permissions: [no.such] }\n`);
    expect(named.comparison.changes.byReason).toMatchObject([{ name: "missing_policy -> rbac_denied" }]);
    expect(named.comparison.changes.kinds.reason).toBe(1);
  });

  it("keeps the history as it happened", async () => {
    const { writer } = sampleLog();
    const against = SAMPLE_POLICY.replace("deny: [net.get, file.read]", "deny: [file.read, net.get]");
    const { comparison } = await compare(writer, against);
    // The net after the file in alice's session would be refused; carol's file after the net is so no longer.
    expect(comparison.changes.kinds).toMatchObject({ allow_to_deny: 1, deny_to_allow: 1 });
  });

  it("gives the other policy the facts of its own labels, and those that nobody's labels explain", async () => {
    const writer = new LogWriter(SAMPLE_POLICY);
    const session = writer.open("u", ["analyst"]);
    const read = writer.start(session, "db.read");
    if (read !== undefined) writer.end(read, { returned: 1 });
    writer.start(session, "net.post");
    const other = writer.open("v", ["analyst"]);
    other.session.addFacts(["PII"]);
    writer.start(other, "net.post");
    const without = await compare(writer, SAMPLE_POLICY.replace('"db.read": [PII]', '"db.write": [PII]'));
    expect(without.comparison.changes.byUser).toMatchObject([{ name: "u", kinds: { deny_to_allow: 1 } }]);
    const elsewhere = new LogWriter(SAMPLE_POLICY);
    const third = elsewhere.open("w", ["analyst"]);
    elsewhere.start(third, "net.get");
    elsewhere.start(third, "net.post");
    const with_ = await compare(elsewhere, SAMPLE_POLICY.replace('"db.read": [PII]', '"net.get": [PII]'));
    expect(with_.comparison.changes.byReason).toMatchObject([
      { name: "ok -> data_flow_violation", changes: 1 },
    ]);
  });

  it("asks about outputs where they are recorded", async () => {
    const against = SAMPLE_POLICY.replace("ok: { ne: false }", "ok: { ne: true }");
    const { comparison } = await compare(sampleLog().writer, against);
    expect(comparison.changes.examples.filter(({ release }) => release)).toMatchObject([
      { kind: "allow_to_deny", after: { reason: "output_validation" } },
      { kind: "deny_to_allow", before: { reason: "output_validation" } },
    ]);
    const digests = await compare(sampleLog("digests").writer, against);
    expect(digests.comparison.changes.total).toBe(0);
    expect(digests.comparison.notCompared).toMatchObject({ not_replayed: 4 });
    const filtered = await compare(
      sampleLog().writer,
      SAMPLE_POLICY.replace("action: redact", "action: filter"),
    );
    expect(filtered.comparison.changes.kinds).toEqual({
      allow_to_deny: 0,
      deny_to_allow: 0,
      reason: 0,
      transforms: 1,
    });
  });

  it("does not guess what output rules would say of values that are not recorded", async () => {
    const against = SAMPLE_POLICY.replace(
      "- db.read",
      "- { tool: db.read, conditions: { output: { max_bytes: 1 } } }",
    );
    const { comparison } = await compare(sampleLog().writer, against);
    expect(comparison.notCompared).toEqual({ output_withheld: 1 });
  });

  it("holds lists to their limits", async () => {
    const writer = new LogWriter({ policies: [{ role: "r", permissions: ["a"] }] });
    for (const name of ["u", "v", "w"]) for (const _ of [1, 2]) writer.start(writer.open(name, ["r"]), "a");
    const limits = { maxExamples: 1, maxGroups: 2 };
    const { comparison } = await compare(writer, { policies: [{ role: "x", permissions: ["a"] }] }, limits);
    const { total, byUser, ungrouped, examples } = comparison.changes;
    expect([total, byUser.length, ungrouped.user, examples.length]).toEqual([6, 2, 2, 1]);
  });
});
