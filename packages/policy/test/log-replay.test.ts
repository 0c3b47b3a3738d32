import { canonicalJson, digest, readMask } from "d2-core";
import { describe, expect, it } from "vitest";
import { type ReplayOptions, replayLog } from "../src/log.js";
import { SAMPLE_POLICY, sampleLog } from "./log-sample.js";
import { LogWriter } from "./log-writer.js";

const withPolicy = (...texts: string[]): ReplayOptions => {
  const writers = texts.map((text) => new LogWriter(text));
  return { policies: (of) => writers.find(({ policy }) => policy.digest === of)?.policy };
};
const sample = withPolicy(SAMPLE_POLICY);

/** A log as whoever has the file and no key can make it from another: every digest is right again. */
function forged(
  lines: readonly string[],
  change: (event: ReturnType<typeof JSON.parse>, at: number) => void,
): string {
  let prev = "0".repeat(64);
  return lines
    .map((line, index) => {
      const parsed = JSON.parse(line);
      change(parsed.event, index);
      const { data } = parsed.event;
      if (data.inputs !== undefined) data.authoritative_digest = digest(data.inputs);
      const of = digest(parsed.event);
      prev = digest({ digest: of, index, prev });
      return `${canonicalJson({ ...parsed, digest: of, index, v: prev })}\n`;
    })
    .join("");
}

describe("replaying a log", () => {
  it("gives every decision again at level full", async () => {
    const { writer } = sampleLog();
    const result = await replayLog(writer.text, sample);
    expect(result.findings).toEqual([]);
    const { kinds } = result.counts;
    expect(result.replay).toMatchObject({
      matched: kinds.DECISION,
      different: 0,
      notReplayable: 0,
      missingReleases: 0,
    });
  });

  it("gives the same digest for the same log, and another for another", async () => {
    const { writer } = sampleLog();
    const first = await replayLog(writer.text, sample);
    const again = await replayLog(
      [...writer.text].map((one) => one),
      sample,
    );
    expect(again.replay).toEqual(first.replay);
    const other = await replayLog(sampleLog("digests").writer.text, sample);
    expect(other.replay.digest).not.toBe(first.replay.digest);
  });

  it("counts what the record leaves out, and never as a match", async () => {
    const digests = await replayLog(sampleLog("digests").writer.text, sample);
    expect(digests.findings).toEqual([]);
    // Denials by earlier layers need no arguments: of `file.read` only the third is one of those.
    expect(digests.replay.causes).toEqual({ arguments_withheld: 2, output_withheld: 2 });
    expect(digests.replay.matched + digests.replay.notReplayable).toBe(digests.counts.kinds.DECISION);
    const args = await replayLog(sampleLog("arguments").writer.text, sample);
    expect(args.replay.causes).toEqual({ output_withheld: 2 });
  });

  it("does not judge places that were masked, and judges what is beside them", async () => {
    const text = SAMPLE_POLICY.replace("startsWith: /tmp }", "startsWith: /tmp }, mode: { eq: r }");
    const asked = async (mask: string) => {
      const writer = new LogWriter(text, { mask: readMask([mask]) });
      writer.start(writer.open("u", ["analyst"]), "file.read", [
        { path: "/tmp", mode: "r", note: { text: "x" } },
      ]);
      return replayLog(writer.recorded, withPolicy(text));
    };
    expect(await asked("arguments.note.text")).toMatchObject({ findings: [], replay: { matched: 1 } });
    for (const mask of ["arguments.path", "arguments.*", "arguments"]) {
      expect(await asked(mask)).toMatchObject({
        findings: [],
        replay: { causes: { arguments_withheld: 1 } },
      });
    }
  });

  it("waits for policies that come later", async () => {
    const { writer } = sampleLog();
    const policies = async () => ({ text: SAMPLE_POLICY });
    expect(await replayLog(writer.text, { policies })).toEqual(await replayLog(writer.text, sample));
  });

  it("replays what was decided under a policy that has expired since", async () => {
    const text = "metadata: { expires: 2001-01-01 }\npolicies:\n  - { role: r, permissions: [a] }\n";
    const writer = new LogWriter({ policies: [] });
    expect(writer.policy.name).toBe("unnamed");
    const old = new LogWriter({
      metadata: { expires: "2001-01-01" },
      policies: [{ role: "r", permissions: ["a"] }],
    });
    old.start(old.open("u", ["r"]), "a");
    old.state = "expired";
    old.start(old.open("u", ["r"]), "a");
    const result = await replayLog(old.text, { policies: () => ({ text, format: "yaml" }) });
    expect(result).toMatchObject({ ok: true, replay: { matched: 2, different: 0 } });
  });

  it("follows a policy that is swapped", async () => {
    const more = SAMPLE_POLICY.replace("- net.get\n", "- net.get\n      - no.such\n");
    const writer = new LogWriter(SAMPLE_POLICY);
    const session = writer.open("u", ["analyst"]);
    writer.start(session, "no.such");
    writer.start(session, "net.get");
    writer.swap(more);
    writer.start(session, "no.such");
    writer.start(session, "file.read", [{ path: "/tmp" }]);
    expect(await replayLog(writer.text, withPolicy(SAMPLE_POLICY, more))).toMatchObject({
      ok: true,
      replay: { matched: 4 },
    });
    const result = await replayLog(writer.text, withPolicy(SAMPLE_POLICY));
    expect(result).toMatchObject({ ok: true, replay: { matched: 2, causes: { policy_missing: 2 } } });
  });

  it("does not take another policy for the one that is missing", async () => {
    const { writer } = sampleLog();
    const other = new LogWriter(`${SAMPLE_POLICY}  - { role: x, permissions: "*" }\n`).policy;
    const kinds = (await replayLog(writer.text, sample)).counts.kinds;
    expect(await replayLog(writer.text, { policies: () => other })).toMatchObject({
      ok: false,
      totals: { wrong_policy: 1 },
      replay: { matched: 0, causes: { policy_missing: kinds.DECISION } },
    });
    expect(
      await replayLog(writer.text, { policies: () => ({ ...other, digest: writer.policy.digest }) }),
    ).toMatchObject({
      totals: { wrong_policy: 1 },
      replay: { matched: 0 },
    });
    expect(await replayLog(writer.text, { policies: () => ({ text: "]" }) })).toMatchObject({
      totals: { unreadable_policy: 1 },
      replay: { matched: 0 },
    });
    expect(await replayLog(writer.text, { policies: () => undefined })).toMatchObject({
      ok: true,
      replay: { matched: 0 },
    });
  });

  it("does not count as a match what a session did elsewhere or what was lost", async () => {
    const writer = new LogWriter(SAMPLE_POLICY);
    const session = writer.open("u", ["analyst"]);
    writer.start(session, "net.get");
    writer.lose(1);
    session.session.begin("net.get", 0);
    writer.start(session, "net.get");
    const result = await replayLog(writer.text, sample);
    expect(result).toMatchObject({ ok: true, replay: { matched: 1, causes: { history_incomplete: 1 } } });
  });

  it("does not count as a match what a forgotten session did", async () => {
    const writer = new LogWriter(SAMPLE_POLICY);
    const [a, b] = [writer.open("u", ["analyst"]), writer.open("v", ["analyst"])];
    for (const session of [a, b, a]) writer.start(session, "net.get");
    expect(await replayLog(writer.text, { ...sample, maxSessions: 1 })).toMatchObject({
      ok: true,
      replay: { matched: 2, forgottenSessions: 2, causes: { session_forgotten: 1 } },
    });
  });

  it("cannot judge streams and what was thrown again", async () => {
    const writer = new LogWriter(
      SAMPLE_POLICY.replace("ok: { ne: false }", "ok: { ne: false }, deny_if_patterns: [boom]"),
    );
    const session = writer.open("u", ["analyst"]);
    for (const ending of [{ stream: true }, { threw: new Error("boom") }, { threw: new Error("quiet") }]) {
      const call = writer.start(session, "mail.list");
      if (call !== undefined) writer.end(call, ending);
    }
    const result = await replayLog(writer.text, { policies: () => writer.policy });
    expect(result).toMatchObject({ findings: [], replay: { matched: 3, causes: { stream: 1, thrown: 1 } } });
  });

  it("notes a release that is missing", async () => {
    const { writer } = sampleLog();
    const last = writer.lines.findIndex((line) => line.includes(":release"));
    const text = writer.lines
      .slice(0, last)
      .map((line) => `${line}\n`)
      .join("");
    expect(await replayLog(text, sample)).toMatchObject({ ok: true, replay: { missingReleases: 1 } });
  });
});

describe("replaying a log that was made to look right", () => {
  const { writer, at } = sampleLog();
  const { lines } = writer;
  const replay = (change: Parameters<typeof forged>[1], of = lines) => replayLog(forged(of, change), sample);

  it("finds decisions that do not follow, whichever way", async () => {
    for (const [place, line] of lines.entries()) {
      const { event } = JSON.parse(line);
      if (event.event_kind !== "DECISION") continue;
      const result = await replay(({ data }, index) => {
        if (index !== place) return;
        if (data.gate.decision === "ALLOW") data.gate = { decision: "DENY", reason_code: "rbac_denied" };
        else
          data.gate.reason_code =
            data.gate.reason_code === "rbac_denied" ? "sequence_violation" : "rbac_denied";
      });
      expect(result.totals).toMatchObject({ wrong_decision: 1 });
    }
  });

  it("says what was recorded and what had to be", async () => {
    const { findings } = await replay(({ data }, index) => {
      if (index === at.denied + 1) data.gate.reason_code = "rbac_denied";
    });
    expect(findings).toMatchObject([
      { reason: "wrong_decision", recorded: "DENY rbac_denied", derived: "DENY input_validation" },
    ]);
  });

  it("finds a denial that names another rule", async () => {
    const result = await replay(({ data }, index) => {
      if (index === at.denied + 1) delete data.gate.reason_message;
    });
    expect(result.totals).toEqual({ wrong_decision: 1 });
  });

  it("finds roles, arguments and outputs that would have decided otherwise", async () => {
    const roles = await replay(({ data }, index) => {
      if (index === at.denied) data.inputs.extensions.roles = [];
    });
    expect(roles.totals).toEqual({ wrong_decision: 1 });
    const args = await replay(({ data }, index) => {
      if (index === at.denied) data.inputs.extensions.arguments[0].path = "/tmp/x";
    });
    expect(args.totals).toEqual({ wrong_decision: 1 });
    const place = lines.findLastIndex((line) => line.includes("tool.release"));
    const output = await replay(({ data, event_kind: kind }, index) => {
      if (index === place) data.inputs.extensions.output.ok = true;
      if (index === place - 1 && kind === "EXECUTION") data.output_digest = digest({ ok: true });
    });
    expect(output.totals).toEqual({ wrong_decision: 1 });
  });

  it("finds a history that is another", async () => {
    const place = lines.findLastIndex((line) => line.includes('"history_length":6'));
    expect(place).toBeGreaterThan(0);
    for (const change of [
      { history_length: 0, history_digest: "0".repeat(64) },
      { history_digest: "a".repeat(64) },
    ]) {
      const result = await replay(({ data }, index) => {
        if (index === place) Object.assign(data.inputs.extensions, change);
      });
      expect(result.totals).toEqual({ wrong_history: 1 });
    }
    const longer = await replay(({ data }, index) => {
      if (index === place) data.inputs.extensions.history_length = 50;
    });
    expect(longer.replay.causes).toEqual({ history_incomplete: 1 });
  });

  it("finds facts that were taken away", async () => {
    const place = lines.findIndex((line) => line.includes('"facts":["PII"]'));
    const result = await replay(({ data }, index) => {
      if (index === place) data.inputs.extensions.facts = [];
    });
    expect(result.totals).toMatchObject({ missing_facts: 1 });
  });

  it("finds an allowed call that was taken out with all its events", async () => {
    const writer = new LogWriter(SAMPLE_POLICY);
    const session = writer.open("u", ["analyst"]);
    const call = writer.start(session, "net.get");
    if (call !== undefined) writer.end(call, { returned: 1 });
    writer.start(session, "db.read");
    const result = await replayLog(
      forged(writer.lines.slice(4), (event) => {
        event.correlation_id = event.correlation_id.replace(":2", ":1");
      }),
      sample,
    );
    expect(result.replay).toMatchObject({ matched: 0, causes: { history_incomplete: 1 } });
  });

  it("finds a release that let out more than the policy does", async () => {
    const place = lines.findIndex((line) => line.includes("released_digest"));
    for (const change of [
      { released_digest: "a".repeat(64) },
      { transforms: [{ action: "filter", path: "secret" }] },
    ]) {
      const result = await replay(({ data }, index) => {
        if (index === place) Object.assign(data, change);
      });
      expect(result.totals).toEqual({ wrong_release: 1 });
    }
  });

  it("finds a policy that is named otherwise than it is", async () => {
    const result = await replay(({ data }) => {
      if (data.policy !== undefined) data.policy.policy_id = "other";
      if (data.policy_id !== undefined) data.policy_id = "other";
    });
    expect(result.ok).toBe(false);
    expect(result.replay.matched).toBe(0);
  });

  it("finds inputs in no encoding of a guard's", async () => {
    const result = await replay(({ data }, index) => {
      if (index === at.denied) data.inputs.extensions.arguments = { $unknown: 1 };
    });
    expect(result.totals).toEqual({ unreadable_inputs: 1 });
  });

  it("finds the end of a session that does not go on", async () => {
    const writer = new LogWriter(SAMPLE_POLICY);
    writer.line("nobody:end", "INTENT", { session_end: true });
    expect((await replayLog(writer.text, sample)).totals).toEqual({ unknown_session: 1 });
  });
});
