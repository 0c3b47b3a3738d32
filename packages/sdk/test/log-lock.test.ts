import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { nodeFiles } from "../src/setup/node-files.js";
import { SILENT } from "./enforce.js";
import { logFolder, write } from "./log-stream.js";

const { path, open, chainLength } = logFolder();
const program = fileURLToPath(new URL("fixtures/shared-stream.mjs", import.meta.url));
const linux = process.platform === "linux";

/** What a lock says of this process, in parts: id of the process, host, when it began, id of the lock. */
function lockParts(): string[] {
  const sink = open({ path: path("model.jsonl") });
  const parts = readFileSync(path("model.lock"), "utf8").trimEnd().split(" ");
  void sink.close();
  return parts;
}

/** The lock of a process that is gone. */
function staleLock(id = "0a"): string {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const [, host, start] = lockParts();
  return `${pid} ${host} ${start} ${id}\n`;
}

describe("the lock of a stream", () => {
  it("gives it to one: a second is given a name of its own", () => {
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
    expect(readdirSync(path()).sort()).toEqual(["app.jsonl", `${second.stream}.jsonl`].sort());
  });

  it("holds the id of the process, and is gone when the stream is closed", () => {
    const sink = open();
    expect(readFileSync(path("app.lock"), "utf8").split(" ")[0]).toBe(String(process.pid));
    void sink.close();
    expect(readdirSync(path())).toEqual(["app.jsonl"]);
  });

  it("is taken over from a process that is gone, and from one that was gone while it took it over", () => {
    const stale = staleLock();
    for (const claims of [[], ["0b"], ["0b", "0c"]]) {
      writeFileSync(path("app.lock"), stale);
      let before = "0a";
      for (const claim of claims) {
        writeFileSync(path(`app.lock.after-${before}`), stale.replace("0a\n", `${claim}\n`));
        before = claim;
      }
      const sink = open();
      expect(sink.stream).toBe("app");
      expect(readFileSync(path("app.lock"), "utf8").split(" ")[0]).toBe(String(process.pid));
      void sink.close();
      expect(readdirSync(path()).filter((name) => name.includes("lock"))).toEqual([]);
    }
  });

  it.skipIf(!linux)("is taken over when the process's id has been given to another one", () => {
    const [pid, host, start] = lockParts();
    writeFileSync(path("app.lock"), `${pid} ${host} ${Number(start) - 1} 0a\n`);
    expect(open().stream).toBe("app");
    writeFileSync(path("other.lock"), `${pid} ${host} ${start} 0a\n`);
    expect(open({ path: path("other.jsonl") }).stream).not.toBe("other");
  });

  it.each(["", "12\n", "\u0000\u0000\u0000\n", "1 elsewhere.example 5 0a\n"])(
    "is left alone when it cannot be known whose it is: %j",
    (content) => {
      writeFileSync(path("app.lock"), content);
      const sink = open();
      expect(sink.stream).not.toBe("app");
      expect(readFileSync(path("app.lock"), "utf8")).toBe(content);
      void sink.close();
    },
  );

  describe("while it is taken over", () => {
    /** Opens the stream, whose lock is stale, and lets something happen between looking at the lock and claiming it. */
    const openWhile = (happening: () => void): string => {
      const { linkSync } = nodeFiles();
      const spy = vi.spyOn(nodeFiles(), "linkSync").mockImplementationOnce((from, to) => {
        expect(to).toBe(path("app.lock.after-0a"));
        happening();
        linkSync(from, to);
      });
      try {
        const sink = open();
        expect(spy).toHaveBeenCalled();
        const held = existsSync(path("app.lock")) ? readFileSync(path("app.lock"), "utf8") : "";
        void sink.close();
        return `${sink.stream === "app" ? "taken" : "left"}: ${held.split(" ").at(-1)?.trim()}`;
      } finally {
        spy.mockRestore();
      }
    };

    it("goes to whoever has claimed it first", () => {
      const [pid, host, start] = lockParts();
      writeFileSync(path("app.lock"), staleLock());
      const claim = `${pid} ${host} ${start} 0b\n`;
      expect(openWhile(() => writeFileSync(path("app.lock.after-0a"), claim))).toBe("left: 0a");
      expect(readFileSync(path("app.lock.after-0a"), "utf8")).toBe(claim);
    });

    it("stays with whoever has taken it over already, and the late claim is gone", () => {
      const [pid, host, start] = lockParts();
      writeFileSync(path("app.lock"), staleLock());
      expect(openWhile(() => writeFileSync(path("app.lock"), `${pid} ${host} ${start} 0b\n`))).toBe(
        "left: 0b",
      );
      expect(readdirSync(path()).filter((name) => name.includes("lock"))).toEqual(["app.lock"]);
    });

    it("is free when whoever has taken it over has released it meanwhile", () => {
      writeFileSync(path("app.lock"), staleLock());
      expect(openWhile(() => rmSync(path("app.lock")))).toMatch(/^taken: [0-9a-f]{16}$/);
      expect(readdirSync(path()).filter((name) => name.includes("lock"))).toEqual([]);
    });
  });

  it("is had by exactly one of several processes, however they come upon it", {
    timeout: 60_000,
  }, async () => {
    const processes = Array.from({ length: 4 }, () => new Writer(path("app.jsonl")));
    const stale = staleLock();
    try {
      for (let round = 1; round <= 25; round++) {
        if (round % 5 !== 0) writeFileSync(path("app.lock"), stale.replace("0a\n", `${round}\n`));
        const streams = await Promise.all(processes.map((each) => each.order("open")));
        expect(streams.filter((stream) => stream === "app").length).toBe(1);
        expect(new Set(streams).size).toBe(4);
        const answers = await Promise.all(processes.map((each) => each.order("close")));
        expect(new Set(answers)).toEqual(new Set(["closed"]));
        expect(chainLength()).toBe(round);
      }
    } finally {
      for (const each of processes) each.end();
    }
    const left = readdirSync(path()).filter((name) => name.includes("lock"));
    expect(left).toEqual([]);
  });
});

/** A process that opens and closes the stream when it is told. */
class Writer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(file: string) {
    const child = spawn(process.execPath, [program, file], { stdio: ["pipe", "pipe", "inherit"] });
    const lines: Interface = createInterface({ input: child.stdout });
    this.#child = child;
    this.#answers = lines[Symbol.asyncIterator]();
  }

  async order(what: "open" | "close"): Promise<string> {
    this.#child.stdin?.write(`${what}\n`);
    const { value } = await this.#answers.next();
    return String(value);
  }

  end(): void {
    this.#child.stdin?.end();
  }
}
