import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openFileSink } from "../src/log/file-sink.js";
import { SILENT } from "./enforce.js";
import { readChain } from "./log-stream.js";

const program = fileURLToPath(new URL("fixtures/recorded-calls.mjs", import.meta.url));

/**
 * Lets a process make recorded calls, kills it, and says how many had returned.
 *
 * @param calls after so many that have returned; undefined: so many milliseconds after it was started, which is while it loads,
 * opens the log or makes its first calls
 */
function killAfter(file: string, calls: number | undefined, milliseconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, file], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, D2_SILENT: "1" },
    });
    let said = "";
    let dying = false;
    const die = (): void => {
      if (dying) return;
      dying = true;
      // Some way into a later call, wherever that may be.
      setTimeout(() => child.kill("SIGKILL"), milliseconds);
    };
    if (calls === undefined) die();
    child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      said += chunk;
      if (calls !== undefined && said.split("\n").length > calls) die();
    });
    child.on("error", reject);
    child.on("close", () => resolve(said.split("\n").length - 1));
  });
}

describe("a process that is killed", () => {
  it.concurrent.each([0, 1, 2, 3])(
    "has lost no call that had returned, and the chain goes on: stream %i, twenty-five times",
    { timeout: 60_000 },
    async (stream) => {
      const folder = mkdtempSync(join(tmpdir(), "d2-kill-"));
      const file = join(folder, `s${stream}.jsonl`);
      try {
        let returned = 0;
        for (let kill = 0; kill < 25; kill++) {
          const early = kill % 5 === 4;
          returned += early
            ? await killAfter(file, undefined, 120 + Math.random() * 250)
            : await killAfter(file, (kill * 7) % 19, Math.random() * 3);
          const sink = openFileSink({ path: file, logger: SILENT });
          expect(sink.stream).toBe(`s${stream}`);
          const kinds = readChain(folder, `s${stream}`);
          expect(sink.position.index).toBe(kinds.length);
          void sink.close();
          const kept = kinds.filter((kind) => kind === "EXECUTION").length;
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
