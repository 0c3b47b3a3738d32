import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, type HexDigest, NOTHING_BEFORE } from "d2-core";
import { describe, expect, it } from "vitest";
import { openFileSink } from "../src/log/file-sink.js";
import { SILENT } from "./enforce.js";

const program = fileURLToPath(new URL("fixtures/recorded-calls.mjs", import.meta.url));

/** Lets a process make recorded calls, kills it at some moment after so many of them, and says how many had returned. */
function killAfter(file: string, calls: number, milliseconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, file], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, D2_SILENT: "1" },
    });
    let said = "";
    let dying = false;
    child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      said += chunk;
      if (dying || said.split("\n").length <= calls) return;
      dying = true;
      // Some way into a later call, wherever that may be.
      setTimeout(() => child.kill("SIGKILL"), milliseconds);
    });
    child.on("error", reject);
    child.on("close", () => resolve(said.split("\n").length - 1));
  });
}

/** The EXECUTIONs in the files of a stream, checked as one chain. */
function executions(folder: string, stream: string): number {
  const before = readdirSync(folder).filter((name) => new RegExp(`^${stream}\\.\\d{12}\\.jsonl$`).test(name));
  let prev: HexDigest = NOTHING_BEFORE;
  let index = 0;
  let found = 0;
  for (const name of [...before.sort(), `${stream}.jsonl`]) {
    for (const text of readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1)) {
      const line = JSON.parse(text);
      if (line.index !== index || line.v !== digest({ digest: digest(line.event), index, prev })) {
        throw new Error(`${name}: line ${line.index} breaks the chain`);
      }
      prev = line.v;
      index += 1;
      if (line.event.event_kind === "EXECUTION") found += 1;
    }
  }
  return found;
}

describe("a process that is killed", () => {
  it.concurrent.each([0, 1, 2, 3])(
    "has lost no call that had returned, and the chain goes on: stream %i, twenty-five times",
    { timeout: 60_000 },
    async (stream) => {
      const folder = mkdtempSync(join(tmpdir(), "d2-kill-"));
      try {
        let returned = 0;
        for (let kill = 0; kill < 25; kill++) {
          returned += await killAfter(join(folder, `s${stream}.jsonl`), (kill * 7) % 19, (kill % 4) * 0.7);
          const sink = openFileSink({ path: join(folder, `s${stream}.jsonl`), logger: SILENT });
          expect(sink.stream).toBe(`s${stream}`);
          void sink.close();
          const kept = executions(folder, `s${stream}`);
          expect(kept).toBeGreaterThanOrEqual(returned);
          // A call whose end was written may not have come to say so.
          expect(kept).toBeLessThanOrEqual(returned + kill + 1);
        }
        expect(returned).toBeGreaterThan(100);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
