import { spawnSync } from "node:child_process";
import { generateKeyPairSync, verify } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChainPosition, canonicalJson, digest, type HexDigest, NOTHING_BEFORE } from "d2-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileSinkOptions, openFileSink } from "../src/log/file-sink.js";
import { MemorySink } from "../src/log/memory-sink.js";
import type { DecisionSink } from "../src/log/sink.js";
import { SILENT } from "./enforce.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "d2-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (...names: string[]): string => join(folder, ...names);
const open = (options: Partial<FileSinkOptions> = {}): DecisionSink =>
  openFileSink({ path: path("app.jsonl"), logger: SILENT, ...options });

/** The next lines of a chain, each the INTENT of a call. */
function nextLines(from: ChainPosition, count = 1): { lines: string; head: ChainPosition } {
  let { index, v, calls } = from;
  let lines = "";
  for (let n = 0; n < count; n++) {
    calls += 1;
    const event = { correlation_id: `id:${calls}`, data: { inputs: {} }, event_kind: "INTENT" };
    const of = digest(event);
    v = digest({ digest: of, index, prev: v });
    lines += `${canonicalJson({ digest: of, event, index, v })}\n`;
    index += 1;
  }
  return { lines, head: { index, v, calls } };
}

function write(sink: DecisionSink, count = 1): string {
  const { lines, head } = nextLines(sink.position, count);
  void sink.append(lines, head);
  return lines;
}

/** How many lines the files of a stream have, checked as one chain. */
function chainLength(stream = "app"): number {
  const files = readdirSync(folder)
    .filter((name) => new RegExp(`^${stream}\\.\\d{12}\\.jsonl$`).test(name))
    .sort();
  let prev: HexDigest = NOTHING_BEFORE;
  let index = 0;
  for (const name of [...files, `${stream}.jsonl`]) {
    for (const text of readFileSync(path(name), "utf8").split("\n").slice(0, -1)) {
      const line = JSON.parse(text);
      expect(line.index).toBe(index);
      expect(line.v).toBe(digest({ digest: digest(line.event), index, prev }));
      prev = line.v;
      index += 1;
    }
  }
  return index;
}

describe("a stream of lines in files", () => {
  it("begins at nothing, and goes on where it was", () => {
    const first = open();
    expect(first.stream).toBe("app");
    expect(first.position).toEqual({ index: 0, v: NOTHING_BEFORE, calls: 0 });
    write(first, 3);
    void first.close();
    const second = open();
    expect(second.position).toMatchObject({ index: 3, calls: 3 });
    write(second, 2);
    void second.close();
    expect(chainLength()).toBe(5);
    expect(readdirSync(folder)).toEqual(["app.jsonl"]);
  });

  it("sets an unfinished last line aside, wherever it was cut, and loses nothing else", () => {
    const sink = open();
    write(sink, 2);
    const last = write(sink);
    void sink.close();
    const whole = readFileSync(path("app.jsonl"), "latin1");
    for (let cut = 1; cut < last.length; cut += 7) {
      writeFileSync(path("app.jsonl"), whole.slice(0, -cut));
      const again = open();
      expect(again.position.index).toBe(2);
      expect(readFileSync(path("app.jsonl"), "latin1")).toBe(whole.slice(0, -last.length));
      expect(readFileSync(path("app.torn"), "latin1")).toBe(`${last.slice(0, -cut)}\n`);
      write(again);
      void again.close();
      expect(chainLength()).toBe(3);
      rmSync(path("app.torn"));
    }
  });

  it("sets binary garbage after the last line aside", () => {
    const sink = open();
    write(sink);
    void sink.close();
    appendFileSync(path("app.jsonl"), Buffer.from([0, 255, 128, 7]));
    const again = open();
    write(again);
    void again.close();
    expect(chainLength()).toBe(2);
    expect(readFileSync(path("app.torn"))).toEqual(Buffer.from([0, 255, 128, 7, 10]));
  });

  it.each(["{}\n", "no json\n", '{"index":1,"v":"x","event":{}}\n', "\n"])(
    "does not go on after a whole line that is none of a log: %j",
    (line) => {
      const sink = open();
      write(sink);
      void sink.close();
      appendFileSync(path("app.jsonl"), line);
      const before = readFileSync(path("app.jsonl"));
      expect(() => open()).toThrow(/is no decision log that can be gone on with/);
      expect(readFileSync(path("app.jsonl"))).toEqual(before);
      expect(existsSync(path("app.lock"))).toBe(false);
    },
  );

  it("finds the number of the last call behind lines that tell of none, and across files", () => {
    const sink = open({ rotate: { bytes: 1 } });
    write(sink, 5);
    const end = { correlation_id: "id:end", data: { session_end: true }, event_kind: "INTENT" };
    const { index, v, calls } = sink.position;
    const next = digest({ digest: digest(end), index, prev: v });
    void sink.append(`${canonicalJson({ digest: digest(end), event: end, index, v: next })}\n`, {
      index: index + 1,
      v: next,
      calls,
    });
    void sink.close();
    expect(open().position).toMatchObject({ index: 6, calls: 5 });
  });

  it("is followed by the next file when it is full, and the chain goes on", () => {
    const sink = open({ rotate: { bytes: 1500 } });
    for (let n = 0; n < 20; n++) write(sink);
    void sink.close();
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(2);
    expect(files).toContain("app.000000000000.jsonl");
    expect(chainLength()).toBe(20);
    const again = open({ rotate: { bytes: 1500 } });
    expect(again.position.index).toBe(20);
    void again.close();
  });

  it("is followed by the next file each day, but not when the clock goes backwards", () => {
    const day = 24 * 60 * 60 * 1000;
    let now = Date.now() + day;
    const sink = open({ clock: () => now });
    write(sink);
    now -= 3 * day;
    write(sink);
    expect(readdirSync(folder)).not.toContain("app.000000000000.jsonl");
    now += 4 * day;
    write(sink);
    expect(readdirSync(folder)).toContain("app.000000000000.jsonl");
    now -= 9 * day;
    write(sink);
    void sink.close();
    expect(readdirSync(folder).filter((name) => name.endsWith(".jsonl")).length).toBe(2);
    expect(chainLength()).toBe(4);
  });

  it("goes on after a rotation that was cut short", () => {
    const sink = open({ rotate: { bytes: 1 } });
    write(sink);
    write(sink);
    void sink.close();
    rmSync(path("app.000000000000.jsonl"));
    writeFileSync(path("app.000000000001.jsonl"), readFileSync(path("app.jsonl")));
    rmSync(path("app.jsonl"));
    expect(open().position).toMatchObject({ index: 2, calls: 2 });
  });

  it("is written by one process: a second is given a name of its own", () => {
    const first = open();
    const warnings: string[] = [];
    const second = open({ logger: { ...SILENT, warn: (message) => warnings.push(message) } });
    expect(second.stream).toMatch(/^app~\d+-[0-9a-f]{8}$/);
    expect(warnings).toEqual([expect.stringContaining("`app` is written by another process")]);
    write(first);
    write(second);
    void first.close();
    void second.close();
    expect(chainLength()).toBe(1);
    expect(chainLength(second.stream)).toBe(1);
  });

  it("is taken over from a process that is gone", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(path("app.lock"), `${pid}\n`);
    const sink = open();
    expect(sink.stream).toBe("app");
    expect(readFileSync(path("app.lock"), "utf8")).toBe(`${process.pid}\n`);
    void sink.close();
    expect(readdirSync(folder)).toEqual(["app.jsonl"]);
  });

  it("refuses to write after somebody else has", () => {
    const sink = open();
    write(sink);
    appendFileSync(path("app.jsonl"), "x");
    expect(() => write(sink)).toThrow(/give each process a stream of its own/);
    expect(readFileSync(path("app.jsonl"), "utf8")).toMatch(/x$/);
  });

  it("in a folder has a name that no other has", () => {
    const [one, two] = [open({ path: path("logs") }), open({ path: path("logs") })];
    expect(one.stream).not.toBe(two.stream);
    void one.close();
    void two.close();
    expect(open({ path: path("logs"), stream: "api" }).stream).toBe("api");
    expect(() => open({ path: path("logs"), stream: "../x" })).toThrow(/its name must be of letters/);
  });

  it("keeps the text of a policy once", () => {
    const sink = open();
    sink.keepPolicy?.("abc", "text", "yaml");
    sink.keepPolicy?.("abc", "other", "yaml");
    expect(readdirSync(path("policies"))).toEqual(["abc.yaml"]);
    expect(readFileSync(path("policies", "abc.yaml"), "utf8")).toBe("text");
  });

  it("shows nobody else what is in its files", () => {
    const sink = open({ path: path("deep", "app.jsonl") });
    const { mode } = statSync(path("deep", "app.jsonl"));
    expect(mode & 0o077).toBe(0);
    void sink.close();
  });
});

describe("a place that cannot be written", () => {
  it("is refused when it is opened, by name", () => {
    writeFileSync(path("file"), "");
    expect(() => open({ path: path("file", "app.jsonl") })).toThrow(/cannot be opened \((ENOTDIR|EEXIST)\)/);
    mkdirSync(path("app.jsonl"));
    expect(() => open()).toThrow(/cannot be opened \(EISDIR\)/);
    expect(existsSync(path("app.lock"))).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0)("is refused when it is read-only", () => {
    chmodSync(folder, 0o500);
    expect(() => open()).toThrow(/cannot be opened \(EACCES\)/);
    chmodSync(folder, 0o700);
  });

  it("leaves no part of lines behind when it is full in the middle of them", () => {
    const program = `
      import { openFileSink } from ${JSON.stringify(new URL("../lib/log.js", import.meta.url).href)};
      const sink = openFileSink({ path: ${JSON.stringify(path("app.jsonl"))} });
      const line = (n) => JSON.stringify({ event: { correlation_id: "id:" + n, data: {} }, index: n, v: "0".repeat(64), pad: "x".repeat(3000) }) + "\\n";
      process.on("SIGXFSZ", () => {});
      let n = 0;
      try { for (; n < 100; n++) sink.append(line(n), { index: n + 1, v: "0".repeat(64), calls: 0 }); }
      catch (error) { console.log(n, error.message); }
    `;
    // 40 blocks of 1,024 bytes are not a whole number of lines.
    const { stdout } = spawnSync(
      "bash",
      ["-c", `ulimit -f 40; exec "${process.execPath}" --input-type=module`],
      {
        input: program,
        encoding: "utf8",
      },
    );
    const written = Number(stdout.split(" ")[0]);
    expect(stdout).toMatch(/it could not be written \(EFBIG\)/);
    expect(written).toBeGreaterThan(5);
    const text = readFileSync(path("app.jsonl"), "utf8");
    expect(text.endsWith("\n")).toBe(true);
    expect(text.split("\n").length - 1).toBe(written);
  });
});

describe("signed heads", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  const heads = () =>
    readFileSync(path("app.heads.jsonl"), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));

  it("say how far the log has come, every so many lines and at the end", () => {
    const sink = open({ sign: { key, everyLines: 10 }, clock: () => 5 });
    for (let n = 0; n < 25; n++) write(sink);
    void sink.close();
    expect(heads().map(({ index }) => index)).toEqual([9, 19, 24]);
    for (const { index, stream, time, v, signature } of heads()) {
      const message = Buffer.from(canonicalJson({ index, stream, time, v }));
      expect(verify(null, message, publicKey, Buffer.from(signature, "base64url"))).toBe(true);
      expect(verify(null, Buffer.from(`${message} `), publicKey, Buffer.from(signature, "base64url"))).toBe(
        false,
      );
      expect([stream, time]).toEqual(["app", 5]);
    }
    expect(heads().at(-1).v).toBe(sink.position.v);
  });

  it("are signed after so many seconds too", () => {
    let now = 0;
    const sink = open({ sign: { key, everySeconds: 10 }, clock: () => now });
    write(sink);
    now = 10_000;
    write(sink);
    expect(heads().map(({ index, time }) => [index, time])).toEqual([[1, 10_000]]);
    void sink.close();
  });

  it.each(["", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"])(
    "need a key, nothing of which is told",
    (wrong) => {
      expect(() => open({ sign: { key: wrong } })).toThrow(
        /must be an Ed25519 private key in PEM \(PKCS 8\)$/,
      );
      expect(existsSync(path("app.lock"))).toBe(false);
    },
  );
});

describe("lines in memory", () => {
  it("are kept up to a limit", () => {
    const sink = new MemorySink({ maxLines: 3 });
    write(sink, 2);
    expect(() => write(sink, 2)).toThrow(/takes no more/);
    write(sink);
    expect(sink.lines.length).toBe(3);
    expect(sink.text.split("\n").length).toBe(4);
  });
});
