import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodes } from "../scripts/node-matrix.mjs";
import { type Browser, bundleForBrowser, noBrowser, startBrowser } from "./everywhere/browser.js";
import { recordedLog } from "./everywhere/recorded-log.js";
import { replayHere } from "./everywhere/replay-here.mjs";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe("one log", () => {
  let log = "";
  let policies: Record<string, string> = {};
  let expected = "";

  beforeAll(async () => {
    ({ log, policies } = await recordedLog());
    expected = await replayHere(log, policies);
  });

  it("is replayed without a difference", () => {
    expect(JSON.parse(expected)).toMatchObject({ ok: true, replay: { different: 0, notReplayable: 0 } });
    expect(JSON.parse(expected).counts.calls).toBeGreaterThan(100);
  });

  it.each(nodes())("is replayed to the same bytes on Node $major", ({ node, major }) => {
    const folder = mkdtempSync(join(tmpdir(), "d2-replay-"));
    try {
      const file = join(folder, "log.json");
      writeFileSync(file, JSON.stringify({ log, policies }));
      const { stdout, stderr } = spawnSync(node, [here("everywhere/replay-file.mjs"), file], {
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      expect(stdout).toBe(expected);
      expect(spawnSync(node, ["--version"], { encoding: "utf8" }).stdout).toMatch(
        new RegExp(`^v${major}\\.`),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  if (noBrowser !== undefined) console.log(`left out: a replay in a browser, for ${noBrowser}`);
  describe.skipIf(noBrowser !== undefined)("in a browser", () => {
    let browser: Browser | undefined;
    afterAll(() => browser?.close());

    it("is replayed to the same bytes", async () => {
      browser = await startBrowser();
      const page = await browser.newPage();
      await page.setContent("<!doctype html><title>replay</title>");
      await page.addScriptTag({
        type: "module",
        content: await bundleForBrowser(here("everywhere/replay-here.mjs")),
      });
      const replayed = await page.evaluate(
        // Runs in the page.
        ([log, policies]) => Reflect.get(globalThis, "tested").replayHere(log, policies),
        [log, policies] as const,
      );
      expect(replayed).toBe(expected);
    });
  });
});
