import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { NOTHING_BEFORE } from "d2-core";
import { describe, expect, it } from "vitest";
import { MemorySink } from "../src/log/memory-sink.js";
import { logFolder, write } from "./log-stream.js";

const { path, open, chainLength } = logFolder();
const DAY = 24 * 60 * 60 * 1000;

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
    expect(readdirSync(path())).toEqual(["app.jsonl"]);
  });

  it("is followed by the next file when it is full, and the chain goes on", () => {
    const sink = open({ rotate: { bytes: 1500 } });
    for (let n = 0; n < 20; n++) write(sink);
    void sink.close();
    const files = readdirSync(path());
    expect(files.length).toBeGreaterThan(2);
    expect(files).toContain("app.000000000000.jsonl");
    expect(chainLength()).toBe(20);
    const again = open({ rotate: { bytes: 1500 } });
    expect(again.position.index).toBe(20);
    void again.close();
  });

  it("never has the lines of one batch in two files", () => {
    const sink = open({ rotate: { bytes: 1 } });
    for (const count of [3, 1, 5]) write(sink, count);
    void sink.close();
    const files = readdirSync(path()).sort();
    expect(files).toEqual(["app.000000000000.jsonl", "app.000000000003.jsonl", "app.jsonl"]);
    expect(files.map((name) => readFileSync(path(name), "utf8").split("\n").length - 1)).toEqual([3, 1, 5]);
  });

  it("is followed by the next file each day, but not when the clock goes backwards", () => {
    let now = Date.now() + DAY;
    const sink = open({ clock: () => now });
    write(sink);
    now -= 3 * DAY;
    write(sink);
    expect(readdirSync(path())).not.toContain("app.000000000000.jsonl");
    now += 4 * DAY;
    write(sink);
    expect(readdirSync(path())).toContain("app.000000000000.jsonl");
    now -= 9 * DAY;
    write(sink);
    void sink.close();
    expect(readdirSync(path()).filter((name) => name.endsWith(".jsonl")).length).toBe(2);
    expect(chainLength()).toBe(4);
  });

  it("is not followed by the next file each day where that is switched off", () => {
    let now = Date.now();
    const sink = open({ clock: () => now, rotate: { daily: false } });
    write(sink);
    now += 2 * DAY;
    write(sink);
    void sink.close();
    expect(readdirSync(path())).toEqual(["app.jsonl"]);
  });

  it("writes over no file that has the name of an earlier one", () => {
    const sink = open({ rotate: { bytes: 1 } });
    write(sink);
    writeFileSync(path("app.000000000000.jsonl"), "precious");
    expect(() => write(sink)).toThrow(/`app\.000000000000\.jsonl` is there already: move that one away/);
    expect(readFileSync(path("app.000000000000.jsonl"), "utf8")).toBe("precious");
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
  });

  it.each(["../x", "", ".x", "a/b", "a b", "a:b", "\u00e9", "x".repeat(129)])("is not named %j", (stream) => {
    expect(() => open({ path: path("logs"), stream })).toThrow(/its name must be of letters/);
    expect(existsSync(path("logs"))).toBe(false);
  });

  it.each(["app.heads", "app.000000000012"])("is not named like another file of a log: %s", (stream) => {
    expect(() => open({ path: path(`${stream}.jsonl`) })).toThrow(/signed heads and earlier files/);
  });

  it("keeps the text of a policy once", () => {
    const sink = open();
    sink.keepPolicy?.("abc", "text", "yaml");
    sink.keepPolicy?.("abc", "other", "yaml");
    expect(readdirSync(path("policies"))).toEqual(["abc.yaml"]);
    expect(readFileSync(path("policies", "abc.yaml"), "utf8")).toBe("text");
  });

  it("shows nobody else what is in its files", () => {
    const sink = open({ path: path("deep", "app.jsonl"), rotate: { bytes: 1 } });
    write(sink);
    write(sink);
    for (const name of ["", "app.jsonl", "app.000000000000.jsonl", "app.lock"]) {
      expect(statSync(path("deep", name)).mode & 0o077).toBe(0);
    }
    void sink.close();
  });
});

describe("a place that cannot be written", () => {
  it("is refused when it is opened, by name", () => {
    writeFileSync(path("file"), "");
    expect(() => open({ path: path("file", "app.jsonl") })).toThrow(/cannot be opened \((ENOTDIR|EEXIST)\)/);
    mkdirSync(path("app.jsonl"));
    expect(() => open()).toThrow(/app\.jsonl is no file: give another path/);
    expect(readdirSync(path()).sort()).toEqual(["app.jsonl", "file"]);
  });
});

describe("lines in memory", () => {
  it("are kept up to a limit", () => {
    const sink = new MemorySink({ maxLines: 3 });
    write(sink, 2);
    expect(() => write(sink, 2)).toThrow(/takes no more/);
    write(sink);
    expect(sink.lines.length).toBe(3);
    expect(sink.text.split("\n").length).toBe(4);
    expect(sink.position).toMatchObject({ index: 3, calls: 3 });
  });

  it("have the policies that they name beside them", () => {
    const sink = new MemorySink({ stream: "test" });
    sink.keepPolicy("abc", "text");
    expect(sink.stream).toBe("test");
    expect([...sink.policies]).toEqual([["abc", "text"]]);
  });
});
