import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { nodeFiles } from "../src/setup/node-files.js";
import { logFolder, write } from "./log-stream.js";

const { path, open, chainLength } = logFolder();

/** An error as the file system throws it. */
const fault = (code: string): Error => Object.assign(new Error(`${code}: refused`), { code });

/** Lets the first write put a part down, and the next fail, as often as is said. */
function breakWrites(code: string, times: number): void {
  const { writeSync } = nodeFiles();
  let left = 2 * times;
  vi.spyOn(nodeFiles(), "writeSync").mockImplementation((...args: unknown[]) => {
    const [file, bytes, from] = args;
    if (typeof file !== "number" || !Buffer.isBuffer(bytes) || typeof from !== "number")
      throw fault("EINVAL");
    left -= 1;
    if (left < 0) return writeSync(file, bytes, from);
    if (left % 2 === 0) throw fault(code);
    return writeSync(file, bytes, from, 30);
  });
}

describe("a disk that is full", () => {
  it.skipIf(!existsSync("/dev/full"))("is named with what to do about it, at each line", () => {
    symlinkSync("/dev/full", path("app.jsonl"));
    const sink = open();
    expect(() => write(sink)).toThrow(/app\.jsonl could not be written \(ENOSPC\): make room on the disk$/);
    expect(() => write(sink)).toThrow(/app\.jsonl holds part of a line that cannot be cut off again/);
    expect(sink.position.index).toBe(0);
  });

  it.each(["ENOSPC", "EDQUOT", "EIO"])("leaves no part of lines behind, and takes them later: %s", (code) => {
    const sink = open();
    write(sink);
    breakWrites(code, 2);
    try {
      expect(() => write(sink, 3)).toThrow(`could not be written (${code})`);
      expect(chainLength()).toBe(1);
      expect(readFileSync(path("app.jsonl"), "utf8").endsWith("\n")).toBe(true);
      expect(() => write(sink, 3)).toThrow(`could not be written (${code})`);
      expect(sink.position.index).toBe(1);
      write(sink, 3);
    } finally {
      vi.restoreAllMocks();
    }
    void sink.close();
    expect(chainLength()).toBe(4);
  });

  it("takes no line after part of one until that can be cut off, and no such part into an earlier file", () => {
    let now = Date.now();
    const sink = open({ clock: () => now });
    write(sink);
    breakWrites("EIO", 1);
    vi.spyOn(nodeFiles(), "ftruncateSync").mockImplementation(() => {
      throw fault("EIO");
    });
    try {
      expect(() => write(sink)).toThrow(/could not be written \(EIO\)/);
      now += 24 * 60 * 60 * 1000;
      expect(() => write(sink)).toThrow(/cannot be cut off again \(EIO\)/);
    } finally {
      vi.restoreAllMocks();
    }
    write(sink);
    void sink.close();
    expect(readdirSync(path()).sort()).toEqual(["app.000000000000.jsonl", "app.jsonl"]);
    expect(chainLength()).toBe(2);
  });

  it("goes on in the file that it has when the next cannot be begun", () => {
    const sink = open({ rotate: { bytes: 1 } });
    write(sink);
    vi.spyOn(nodeFiles(), "openSync").mockImplementation(() => {
      throw fault("ENOSPC");
    });
    try {
      expect(() => write(sink)).toThrow(/could not be followed by the next file \(ENOSPC\): make room/);
    } finally {
      vi.restoreAllMocks();
    }
    expect(chainLength()).toBe(1);
    write(sink);
    void sink.close();
    expect(chainLength()).toBe(2);
  });

  it.skipIf(process.platform === "win32")("leaves whole lines up to the limit on the size of files", () => {
    const { stdout } = spawnSync(
      "sh",
      [
        "-c",
        `ulimit -f 40; exec "$0" "$1" "$2"`,
        process.execPath,
        program("fill-disk.mjs"),
        path("app.jsonl"),
      ],
      { encoding: "utf8" },
    );
    expect(stdout).toMatch(/app\.jsonl could not be written \(EFBIG\): raise the limit/);
    const written = Number(stdout.split(" ")[0]);
    expect(written).toBeGreaterThan(5);
    expect(chainLength()).toBe(written);
    const sink = open();
    expect(sink.position.index).toBe(written);
    write(sink);
    void sink.close();
    expect(chainLength()).toBe(written + 1);
  });
});

describe("a folder that is read-only", () => {
  const asRoot = process.getuid?.() === 0;
  it.skipIf(process.getuid === undefined || (asRoot && process.seteuid === undefined))(
    "is refused when it is opened, and its log can be read all the same",
    () => {
      const sink = open();
      write(sink);
      void sink.close();
      chmodSync(path(), 0o555);
      // Nobody at all: root may write anywhere.
      if (asRoot) process.seteuid?.(65_534);
      try {
        expect(() => open()).toThrow(/app\.jsonl cannot be opened \(EACCES\): give a place where files can/);
        expect(() => open({ path: path("new", "folder") })).toThrow(/cannot be opened \(EACCES\)/);
      } finally {
        if (asRoot) process.seteuid?.(0);
        chmodSync(path(), 0o700);
      }
      expect(readdirSync(path())).toEqual(["app.jsonl"]);
      expect(chainLength()).toBe(1);
    },
  );
});

describe("a log that was copied", () => {
  it("goes on in the copy as it would have", () => {
    const sink = open();
    write(sink, 2);
    copyFileSync(path("app.jsonl"), path("copy.jsonl"));
    const copy = open({ path: path("copy.jsonl") });
    expect(copy.position).toEqual(sink.position);
    void copy.close();
    void sink.close();
    rmSync(path("app.jsonl"));
    expect(chainLength("copy")).toBe(2);
  });
});

function program(name: string): string {
  return new URL(`fixtures/${name}`, import.meta.url).pathname;
}
