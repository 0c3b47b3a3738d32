import { generateKeyPairSync, sign, verify } from "node:crypto";
import { canonicalJson, digest } from "d2-core";
import { describe, expect, it } from "vitest";
import { type Head, headMessage, readHeads, type VerifyOptions, verifyLog } from "../src/log.js";
import { sampleLog } from "./log-sample.js";
import { LogWriter } from "./log-writer.js";

const reasons = async (text: string | readonly string[], options: VerifyOptions = {}) => {
  const source = typeof text === "string" ? text : text.map((line) => `${line}\n`).join("");
  return (await verifyLog(source, options)).totals;
};

/** The chain of a log made anew, as whoever has the file but no key can. */
function rechained(lines: readonly string[]): string[] {
  let prev = "0".repeat(64);
  return lines.map((line, index) => {
    const parsed = JSON.parse(line);
    const of = digest(parsed.event);
    prev = digest({ digest: of, index, prev });
    return canonicalJson({ ...parsed, digest: of, index, v: prev });
  });
}

function changed(line: string | undefined, change: (parsed: ReturnType<typeof JSON.parse>) => void): string {
  const parsed = JSON.parse(line ?? "");
  change(parsed);
  return canonicalJson(parsed);
}

describe("verifying a log", () => {
  it("finds nothing in what was written as decided, and counts it", async () => {
    const { writer } = sampleLog();
    expect(writer.recorded).toBe(writer.text);
    const result = await verifyLog(writer.text);
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({ ok: true, tornTail: undefined, totals: {} });
    expect(result.counts.events).toBe(writer.lines.length);
    expect(result.counts.bytes).toBe(writer.text.length);
    expect(result.position).toEqual({
      index: writer.lines.length,
      v: writer.chain.at(-1),
      calls: result.counts.calls,
    });
    expect(result.counts.kinds.DECISION).toBe(
      result.counts.allowed + result.counts.denied + result.counts.released + result.counts.withheld,
    );
    expect(result.unfinished).toEqual({ undecided: 0, unproven: 0, running: 2 });
  });

  it.each([1, 7, 64, 4096])("gives the same for bytes cut every %i", async (size) => {
    const { writer } = sampleLog();
    const bytes = new TextEncoder().encode(writer.text);
    async function* parts() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    expect(await verifyLog(parts())).toEqual(await verifyLog(writer.text));
  });

  it("goes on where another file ended", async () => {
    const { writer } = sampleLog();
    for (let cut = 1; cut < writer.lines.length; cut += 1) {
      const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
      const first = await verifyLog(text(writer.lines.slice(0, cut)));
      const second = await verifyLog(text(writer.lines.slice(cut)), { from: first.position });
      expect(first.findings).toEqual([]);
      expect(second.findings).toEqual([]);
      expect(second.position.v).toBe(writer.chain.at(-1));
    }
  });

  it("reports progress", async () => {
    const { writer } = sampleLog();
    const seen: number[] = [];
    await verifyLog(
      writer.lines.map((line) => `${line}\n`),
      {
        progressEvery: 10,
        onProgress: ({ events }) => seen.push(events),
      },
    );
    expect(seen.slice(0, 2)).toEqual([10, 20]);
  });
});

describe("verifying a log that was changed", () => {
  const { writer, at } = sampleLog();
  const lines = writer.lines;
  const find = (kind: string, part = "") =>
    lines.findIndex((line) => line.includes(`"${kind}"`) && line.includes(part));

  it("finds a changed payload", async () => {
    const place = find("INTENT", "alice");
    expect(
      await reasons(
        lines.with(
          place,
          changed(lines[place], (line) => {
            line.event.data.inputs.principal_id = "bob";
          }),
        ),
      ),
    ).toEqual({ wrong_digest: 1, wrong_inputs: 1 });
  });

  it("finds a changed digest", async () => {
    const place = find("DECISION");
    const totals = await reasons(
      lines.with(
        place,
        changed(lines[place], (line) => {
          line.digest = "a".repeat(64);
        }),
      ),
    );
    expect(totals).toEqual({ wrong_digest: 1, wrong_chain: 1 });
  });

  it("finds a changed trace, also behind digests made anew", async () => {
    const place = find("EXECUTION");
    const totals = await reasons(
      rechained(
        lines.with(
          place,
          changed(lines[place], (line) => {
            line.trace.success = !line.trace.success;
          }),
        ),
      ),
    );
    expect(totals).toMatchObject({ wrong_trace: 1 });
  });

  it("finds inputs that were changed behind digests made anew", async () => {
    const place = find("INTENT", "alice");
    expect(
      await reasons(
        rechained(
          lines.with(
            place,
            changed(lines[place], (line) => {
              line.event.data.inputs.extensions.roles = ["admin"];
            }),
          ),
        ),
      ),
    ).toMatchObject({ wrong_inputs: 1 });
  });

  it("finds arguments that were changed behind digests made anew", async () => {
    const place = find("INTENT", "alice");
    const totals = await reasons(
      rechained(
        lines.with(
          place,
          changed(lines[place], (line) => {
            line.event.data.inputs.extensions.arguments = [{ path: "other" }];
            line.event.data.authoritative_digest = digest(line.event.data.inputs);
          }),
        ),
      ),
    );
    expect(totals).toEqual({ wrong_arguments: 1 });
  });

  it("finds lines that changed places", async () => {
    const place = find("PROOF");
    const [a = "", b = ""] = [lines[place], lines[place + 1]];
    const swapped = lines.with(place, b).with(place + 1, a);
    expect(Object.keys(await reasons(swapped))).toEqual(
      expect.arrayContaining(["wrong_index", "wrong_chain", "wrong_order"]),
    );
    expect(await reasons(rechained(swapped))).toMatchObject({ wrong_order: expect.any(Number) });
  });

  it("finds a middle that was taken out", async () => {
    const cut = lines.toSpliced(at.denied, 2);
    expect(await reasons(cut)).toMatchObject({ wrong_index: 1, wrong_chain: 1, skipped_call: 1 });
    expect(await reasons(rechained(cut))).toEqual({ skipped_call: 1 });
  });

  it("finds an event that was put in", async () => {
    const place = find("EXECUTION");
    const put = lines.toSpliced(
      place,
      0,
      changed(lines[place], (line) => {
        line.event.correlation_id = "session1:77";
      }),
    );
    expect(await reasons(put)).toMatchObject({ wrong_index: 1, wrong_chain: 1, wrong_digest: 1 });
    expect(await reasons(rechained(put))).toEqual({ execution_without_allow: 1 });
  });

  it("finds every line that is there twice", async () => {
    for (const [place, line] of lines.entries()) {
      const twice = lines.toSpliced(place, 0, line);
      expect(await reasons(twice)).toMatchObject({ wrong_index: 1, wrong_chain: 1 });
      // A session that ends twice is told by replay alone, which follows sessions.
      if (!line.includes("session_end")) expect(await reasons(rechained(twice))).not.toEqual({});
    }
  });

  it("finds a second decision", async () => {
    const place = find("DECISION", '"ALLOW"');
    const [line = ""] = [lines[place]];
    expect(await reasons(rechained(lines.toSpliced(place + 2, 0, line)))).toEqual({ second_decision: 1 });
    expect(await reasons(rechained(lines.toSpliced(at.denied + 2, 0, lines[at.denied + 1] ?? "")))).toEqual({
      second_decision: 1,
    });
  });

  it("finds an execution after a denial, and one without a decision", async () => {
    const { correlation_id: id } = JSON.parse(lines[at.denied] ?? "").event;
    const place = find("EXECUTION");
    const executed = changed(lines[place], (line) => {
      line.event.correlation_id = id;
    });
    expect(await reasons(rechained(lines.toSpliced(at.denied + 2, 0, executed)))).toEqual({ after_deny: 1 });
    expect(await reasons(rechained(lines.with(at.denied + 1, executed)))).toEqual({
      execution_without_allow: 1,
    });
  });

  it("finds a denial that was turned into an allow", async () => {
    const turned = changed(lines[at.denied + 1], (line) => {
      line.event.data.gate.decision = "ALLOW";
    });
    expect(await reasons(rechained(lines.with(at.denied + 1, turned)))).toEqual({ wrong_shape: 1 });
  });

  it("finds a decision in the name of another policy", async () => {
    const named = changed(lines[at.denied + 1], (line) => {
      line.event.data.policy_id = "other";
    });
    expect(await reasons(rechained(lines.with(at.denied + 1, named)))).toEqual({ wrong_policy: 1 });
  });

  it("finds keys that no guard writes, and keys that are missing", async () => {
    const more = changed(lines[at.denied], (line) => {
      line.event.data.extra = 1;
    });
    expect(await reasons(rechained(lines.with(at.denied, more)))).toMatchObject({ wrong_shape: 1 });
    const less = changed(lines[at.denied], (line) => {
      delete line.event.data.tenant_id;
    });
    expect(await reasons(rechained(lines.with(at.denied, less)))).toMatchObject({ wrong_shape: 1 });
    const proto = (lines[at.denied] ?? "").replace('"data":{', '"data":{"__proto__":{"a":1},');
    expect(await reasons(rechained(lines.with(at.denied, proto)))).toMatchObject({ wrong_shape: 1 });
  });

  it("finds another writing of the same", async () => {
    const first = lines[0] ?? "";
    for (const other of [
      first.replace('"index":0', '"index": 0'),
      first.replace('"index":0', '"index":0.0'),
      first.replace('"index":0', '"index":-0'),
      first.replace("alice", "\\u0061lice"),
      first.replace('"INTENT"', '"INTENT","event_kind":"INTENT"'),
      `${first} `,
      `${first}\r`,
    ]) {
      expect(await reasons(lines.with(0, other))).toMatchObject({ not_canonical: 1 });
    }
  });

  it("sets a torn last line aside", async () => {
    for (const cut of [1, 10, 100]) {
      const result = await verifyLog(writer.text.slice(0, -cut));
      expect(result.ok).toBe(true);
      expect(result.tornTail).toEqual({ characters: (lines.at(-1) ?? "").length + 1 - cut });
      expect(result.counts.events).toBe(lines.length - 1);
    }
  });

  it("answers garbage with findings", async () => {
    const garbage = Uint8Array.from({ length: 5000 }, (_, n) => (n * 7919 + (n >> 3)) & 255);
    expect(await verifyLog([garbage, "\n"])).toMatchObject({
      ok: false,
      totals: { bad_line: expect.any(Number) },
    });
    expect(await reasons(`${"[".repeat(200_000)}\n`)).toEqual({ not_canonical: 1 });
    expect(await reasons(`${"[".repeat(1000)}${"]".repeat(1000)}\n`)).toEqual({ not_canonical: 1 });
    expect(await reasons(`${'{"a":'.repeat(1000)}1${"}".repeat(1000)}\n`)).toEqual({ not_canonical: 1 });
    expect(await reasons(`\ufeff${lines[0]}\n`)).toEqual({ bad_line: 1 });
    expect(await reasons('null\n[]\n"a"\n{}\n\n')).toEqual({ wrong_shape: 4, bad_line: 1 });
    expect(await verifyLog([])).toMatchObject({ ok: true, counts: { events: 0 } });
  });

  it("holds lines to a length", async () => {
    const long = `${"a".repeat(500)}`;
    for (const parts of [
      [`${long}\n`],
      [...long, "\n"],
      [long.slice(0, 80), long.slice(80), `\n${long}\n`],
    ]) {
      const result = await verifyLog(parts, { maxLineLength: 100 });
      expect(result.totals).toEqual({ line_too_long: parts.join("").split("\n").length - 1 });
    }
  });

  it("finds every single bit that changes in an event or a digest", async () => {
    const sample = Number(process.env["D2_FLIPS"] ?? 10_000);
    const text = lines.map((line) => `${line}\n`);
    // Each flip is looked at with the line after it; that both are right unflipped is shown above.
    const before = await Promise.all(lines.map((_, place) => verifyLog(text.slice(0, place))));
    let seed = 7;
    const next = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed >>> 8) % below;
    };
    const encoder = new TextEncoder();
    for (let n = 0; n < sample; n += 1) {
      const place = next(lines.length);
      const bytes = encoder.encode(lines[place]);
      // What is observed is in no digest; everything else of a line is.
      const observed = (lines[place] ?? "").indexOf(',"observational"');
      const position = next(observed > 0 ? observed : bytes.length);
      const bit = 1 << next(8);
      bytes[position] = (bytes[position] ?? 0) ^ bit;
      const from = before[place]?.position;
      const result = await verifyLog([bytes, "\n", ...text.slice(place + 1, place + 2)], { from });
      expect(result.ok, `bit ${bit} of byte ${position} of line ${place + 1}`).toBe(false);
    }
  });
});

describe("verifying a log against its heads", () => {
  const { writer } = sampleLog();
  const { lines, chain } = writer;
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const headAt = (index: number, change: Partial<Head> = {}): Head => {
    const signed = {
      index,
      stream: "stream",
      time: "2026-01-01T00:00:00Z",
      v: chain[index] ?? "",
      ...change,
    };
    const signature = sign(null, Buffer.from(headMessage(signed)), privateKey).toString("base64");
    return { key_id: "k", signature, ...signed };
  };
  const verifySignature = (message: string, signature: string) =>
    verify(null, Buffer.from(message), publicKey, Buffer.from(signature, "base64"));
  const heads = [headAt(5), headAt(lines.length - 1)];
  const cut = (most: number) => lines.slice(0, most);

  it("finds nothing where they were signed for it", async () => {
    const result = await verifyLog(writer.text, { heads, verifySignature });
    expect(result).toMatchObject({
      ok: true,
      heads: { given: 2, reached: 2, signed: 2, covered: lines.length - 1 },
    });
  });

  it("finds a tail that was cut off", async () => {
    expect(await reasons(cut(lines.length - 1), { heads, verifySignature })).toEqual({ missing_tail: 1 });
    expect(await reasons(cut(3), { heads, verifySignature })).toEqual({ missing_tail: 2 });
    expect(await reasons(cut(lines.length - 1))).toEqual({});
  });

  it("finds a chain that was made anew", async () => {
    const other = rechained(
      lines.with(
        0,
        changed(lines[0], (line) => {
          line.event.data.inputs.principal_id = "bob";
          line.event.data.authoritative_digest = digest(line.event.data.inputs);
        }),
      ),
    );
    expect(await reasons(other)).toEqual({});
    expect(await reasons(other, { heads, verifySignature })).toEqual({ wrong_head: 2 });
  });

  it("finds heads that someone else signed, or signed for another log", async () => {
    const forged = { ...headAt(5), signature: Buffer.alloc(64).toString("base64") };
    expect(await reasons(lines, { heads: [forged], verifySignature })).toEqual({ bad_signature: 1 });
    const moved = { ...headAt(5), index: 6, v: chain[6] ?? "" };
    expect(await reasons(lines, { heads: [moved], verifySignature })).toEqual({ bad_signature: 1 });
    const throwing = () => Promise.reject(new Error("no key"));
    expect(await reasons(lines, { heads, verifySignature: throwing })).toEqual({ bad_signature: 2 });
    expect(await reasons(lines, { heads: [headAt(5, { stream: "b" })], stream: "stream" })).toEqual({});
    expect(await reasons(lines, { heads: [headAt(4), headAt(5, { stream: "b" })] })).toEqual({
      wrong_stream: 1,
    });
  });

  it("reads them from their file", () => {
    const text = `${heads.map((head) => `${canonicalJson(head)}\n`).join("")}{}\nnot json\n{"index"`;
    expect(readHeads(text)).toEqual({ heads, badLines: [3, 4] });
  });
});

describe("verifying what is rare", () => {
  it("takes texts and keys of every kind", async () => {
    const writer = new LogWriter({ policies: [{ role: "r", permissions: "*" }] });
    const session = writer.open("ünï\u007f😀", ["r"]);
    const args = JSON.parse(
      '[{"__proto__":{"a":1},"10":1,"9":2,"é":"\\u2028","b":-0,"c":1.5,"$digest":"x","":null}]',
    );
    const call = writer.start(session, "tool", [...args, 2n ** 80n, -0, '\u0000\b\t\n\f\r"\\/\ud83d\ude00']);
    if (call !== undefined) writer.end(call, { returned: { $digest: "a", ok: [1n, undefined, Number.NaN] } });
    writer.startWithoutUser("tool", args);
    expect((await verifyLog(writer.text)).findings).toEqual([]);
  });

  it("counts calls that are lost, and finds gaps that nobody owns to", async () => {
    const writer = new LogWriter({ policies: [{ role: "r", permissions: "*" }] });
    const session = writer.open("u", ["r"]);
    writer.start(session, "tool");
    writer.lose(3);
    writer.start(session, "tool");
    const result = await verifyLog(writer.text);
    expect(result).toMatchObject({
      ok: true,
      counts: { calls: 5, lostCalls: 3 },
      unfinished: { running: 2 },
    });
    expect(await reasons(rechained(writer.lines.toSpliced(3, 1)))).toEqual({ skipped_call: 1 });
  });

  it("tells a call that a killed process left undecided", async () => {
    const writer = new LogWriter({ policies: [{ role: "r", permissions: "*" }] });
    writer.start(writer.open("u", ["r"]), "tool");
    const lines = rechained([...writer.lines.slice(0, 1)]);
    expect(await verifyLog(lines.map((line) => `${line}\n`))).toMatchObject({
      ok: true,
      unfinished: { undecided: 1 },
    });
  });

  it("keeps a bound on calls that run, and passes nothing that it did not keep", async () => {
    const writer = new LogWriter({ policies: [{ role: "r", permissions: "*" }] });
    const session = writer.open("u", ["r"]);
    const calls = ["a", "b", "c"].map((tool) => writer.start(session, tool));
    for (const call of calls) if (call !== undefined) writer.end(call, { returned: 1 });
    expect(await reasons(writer.text, { maxOpenCalls: 2 })).toEqual({ execution_without_allow: 1 });
    expect(await reasons(writer.text, { maxOpenCalls: 3 })).toEqual({});
  });
});
