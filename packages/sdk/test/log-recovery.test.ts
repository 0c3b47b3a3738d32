import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { canonicalJson, digest } from "d2-core";
import { describe, expect, it } from "vitest";
import type { DecisionSink } from "../src/log/sink.js";
import { SILENT } from "./enforce.js";
import { logFolder, write } from "./log-stream.js";

const { path, open, chainLength } = logFolder();
const DAY = 24 * 60 * 60 * 1000;

/** Writes an event that is no call's INTENT. */
function writeEvent(sink: DecisionSink, correlationId: string, data: object): void {
  const event = { correlation_id: correlationId, data, event_kind: "INTENT" };
  const { index, v, calls } = sink.position;
  const next = digest({ digest: digest(event), index, prev: v });
  const line = canonicalJson({ digest: digest(event), event, index, v: next });
  void sink.append(`${line}\n`, { index: index + 1, v: next, calls });
}

function written(count: number): string {
  const sink = open();
  for (let n = 0; n < count; n++) write(sink);
  void sink.close();
  return readFileSync(path("app.jsonl"), "latin1");
}

describe("a stream that a crash has ended", () => {
  it("sets an unfinished last line aside, wherever it was cut, and loses nothing else", () => {
    const whole = written(3);
    const from = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let to = from + 1; to < whole.length; to++) {
      writeFileSync(path("app.jsonl"), whole.slice(0, to));
      const again = open();
      expect(again.position).toMatchObject({ index: 2, calls: 2 });
      expect(readFileSync(path("app.jsonl"), "latin1")).toBe(whole.slice(0, from));
      expect(readFileSync(path("app.torn"), "latin1")).toBe(`${whole.slice(from, to)}\n`);
      rmSync(path("app.torn"));
      void again.close();
    }
    const last = open();
    write(last);
    void last.close();
    expect(chainLength()).toBe(3);
  });

  it("begins anew when not even the first line was finished", () => {
    writeFileSync(path("app.jsonl"), written(1).slice(0, -5));
    const again = open();
    expect(again.position).toMatchObject({ index: 0, calls: 0 });
    write(again);
    void again.close();
    expect(chainLength()).toBe(1);
  });

  it.each([
    ["without a line feed", [0, 255, 128, 7]],
    ["with one", [0, 255, 128, 10]],
    ["of zeros", new Array(5000).fill(0)],
    ["of nothing but a line feed", [10]],
  ])("sets garbage after the last line aside, and says so: %s", (_, bytes) => {
    written(2);
    appendFileSync(path("app.jsonl"), Buffer.from(bytes));
    const warnings: string[] = [];
    const again = open({ logger: { ...SILENT, warn: (message) => warnings.push(message) } });
    expect(again.position.index).toBe(2);
    expect(warnings).toEqual([expect.stringMatching(/`app` ended in a line .* now in `app\.torn`$/)]);
    write(again);
    void again.close();
    expect(chainLength()).toBe(3);
    expect(readFileSync(path("app.torn"))).toEqual(Buffer.from(bytes.at(-1) === 10 ? bytes : [...bytes, 10]));
  });

  it.each([
    "{}\n",
    '{"index":1,"v":"x","event":{}}\n',
    "no json\nno json\n",
    "no json\ntorn",
    '{"a":1}\n{"b":2',
  ])("does not go on after a whole line that is none of a log, and changes nothing: %j", (text) => {
    written(1);
    appendFileSync(path("app.jsonl"), text);
    const before = readFileSync(path("app.jsonl"));
    expect(() => open()).toThrow(/is no decision log that can be gone on with: a whole line/);
    expect(readFileSync(path("app.jsonl"))).toEqual(before);
    expect(readdirSync(path())).toEqual(["app.jsonl"]);
  });

  it.each([
    ["event", /"id:3"/, '"id:4"'],
    [
      "digest",
      /(\{"digest":")(.)([^\n]*"index":2,)/,
      (_: string, a: string, b: string, c: string) => a + other(b) + c,
    ],
    ["index", /"index":2,/, '"index":3,'],
    ["v", /"v":"(.)(?=[^\n]*\n$)/, (_: string, a: string) => `"v":"${other(a)}`],
  ] as const)("does not go on after a last line whose %s was changed", (_, what, by) => {
    const whole = written(3);
    // One of two kinds of replacement, and `replace` has a signature for each.
    const changed = typeof by === "string" ? whole.replace(what, by) : whole.replace(what, by);
    expect(changed).not.toBe(whole);
    writeFileSync(path("app.jsonl"), changed);
    expect(() => open()).toThrow(/its last line is not as it was written; move the file away/);
    expect(existsSync(path("app.torn"))).toBe(false);
  });

  it("finds the number of the last call behind lines that tell of none, and across files", () => {
    const sink = open({ rotate: { bytes: 1 } });
    write(sink, 5);
    writeEvent(sink, "id:end", { session_end: true });
    writeEvent(sink, "id:4:release", { inputs: {} });
    void sink.close();
    const again = open();
    expect(again.position).toMatchObject({ index: 7, calls: 5 });
    void again.close();
  });

  it("counts the calls that were lost", () => {
    const sink = open();
    write(sink, 2);
    writeEvent(sink, "app:lost:3", { lost_calls: 40 });
    void sink.close();
    expect(open().position).toMatchObject({ index: 3, calls: 42 });
  });

  it("reads lines of any length", () => {
    const sink = open();
    write(sink);
    for (let n = 0; n < 3; n++) writeEvent(sink, "id:end", { long: "x".repeat(3_000_000) });
    void sink.close();
    const again = open();
    expect(again.position).toMatchObject({ index: 4, calls: 1 });
    void again.close();
    expect(chainLength()).toBe(4);
  });

  it.each(["absent", "empty"])("goes on after a rotation that left the current file %s", (current) => {
    const sink = open({ rotate: { bytes: 1 } });
    write(sink);
    write(sink, 2);
    void sink.close();
    writeFileSync(path("app.000000000001.jsonl"), readFileSync(path("app.jsonl")));
    rmSync(path("app.jsonl"));
    if (current === "empty") writeFileSync(path("app.jsonl"), "");
    const again = open({ rotate: { bytes: 1 } });
    expect(again.position).toMatchObject({ index: 3, calls: 3 });
    write(again);
    write(again);
    void again.close();
    expect(readdirSync(path())).toContain("app.000000000003.jsonl");
    expect(chainLength()).toBe(5);
  });

  it("that was yesterday begins a new file today", () => {
    const now = Date.now();
    written(1);
    appendFileSync(path("app.jsonl"), "torn");
    utimesSync(path("app.jsonl"), new Date(now - DAY), new Date(now - DAY));
    const sink = open({ clock: () => now });
    write(sink);
    void sink.close();
    expect(readdirSync(path())).toContain("app.000000000000.jsonl");
    expect(chainLength()).toBe(2);
  });
});

function other(digit: string): string {
  return digit === "0" ? "1" : "0";
}
