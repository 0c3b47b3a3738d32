import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ConfigurationError, REASON_CODES } from "d2-core";
import { formatDiagnostics, loadPolicy } from "d2-policy";
import { verifyLog } from "d2-policy/log";
import ts from "typescript";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Block, blocksOf, blocksWith, readPage, root } from "./docs/blocks.js";
import { compileBlocks } from "./docs/compile.js";
import { callOutcomes, claimsOf, released, resultOutcomes } from "./docs/outcomes.js";
import { packageFolders, sourcesOf } from "./repo/sources.js";

const REFERENCE = "docs/policy.md";

const pagesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

/** Every page of ours. */
const pages: readonly string[] = [
  ...pagesIn("."),
  ...pagesIn("docs"),
  ...pagesIn("docs/decisions"),
  ...pagesIn("examples"),
  ...packageFolders.flatMap((folder) => pagesIn(`packages/${folder}`)),
];

const onlyBlock = (page: string, info: string): Block => {
  const [block] = blocksWith(page, info);
  if (block === undefined) throw new Error(`${page} has no block \`${info}\``);
  return block;
};

describe("the README", () => {
  const example = onlyBlock("README.md", "ts");

  it("quotes the ten lines of the example as they are", () => {
    const source = readPage("examples/ten-lines/main.ts");
    expect(example.text).toBe(/\/\/ #region readme\n([\s\S]*?)\/\/ #endregion/.exec(source)?.[1]);
  });

  it("shows what the ten lines print, in a project that has the packages installed", () => {
    const folder = mkdtempSync(join(tmpdir(), "d2-readme-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const { outputText } = ts.transpileModule(example.text, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(folder, "main.mjs"), outputText);
    const { stdout, status } = spawnSync(process.execPath, ["main.mjs"], { cwd: folder, encoding: "utf8" });
    expect(stdout).toBe(onlyBlock("README.md", "text").text);
    expect(status).toBe(0);
  });

  it("shows what `npm start` prints", () => {
    const program = join(root, "examples/agent-demo/main.js");
    const { stdout } = spawnSync(process.execPath, [program], { encoding: "utf8" });
    expect(stdout).toContain(onlyBlock("README.md", "text start").text);
  });

  it("lists the environment variables that the code reads, and no others", () => {
    const read = sourcesOf("sdk").flatMap(({ text }) =>
      [...text.matchAll(/"(D2_\w+)"/g)].map(([, name]) => name),
    );
    const named = [...readPage("README.md").matchAll(/`(D2_\w+)`/g)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual([...new Set(read)].sort());
  });
});

describe("the page on decisions", () => {
  it("shows a log that holds", async () => {
    const log = onlyBlock("docs/decisions.md", "jsonl log").text;
    const { ok, counts, position } = await verifyLog([log]);
    expect([ok, counts.calls, position.index]).toEqual([true, 1, 5]);
    const shown = onlyBlock("docs/decisions.md", "jsonl log").text.split("\n");
    expect(shown.map((line) => /"event_kind":"(\w+)"/.exec(line)?.[1])).toEqual([
      ..."INTENT,DECISION,PROOF,EXECUTION,INTENT".split(","),
      undefined,
    ]);
  });
});

describe("the policies in the docs", () => {
  const policies = pages.flatMap((page) => blocksWith(page, "yaml policy"));

  it("load without a warning", () => {
    expect(policies.length).toBeGreaterThan(5);
    const warnings = policies.flatMap(({ text, place }) =>
      loadPolicy(text, { now: 0 }).warnings.map(({ message }) => `${place}: ${message}`),
    );
    expect(warnings).toEqual([]);
  });

  it("are marked as policies or fragments, so that none goes unread", () => {
    const infos = pages.flatMap(blocksOf).map(({ info }) => info);
    const known = new Set(["yaml policy", "yaml fragment", "yaml faulty"]);
    expect(infos.filter((info) => info.startsWith("yaml") && !known.has(info))).toEqual([]);
  });

  const calls = pages.flatMap((page) => claimsOf(page, "text calls"));
  const results = pages.flatMap((page) => claimsOf(page, "json results"));
  const returned = pages.flatMap((page) => claimsOf(page, "json returned"));

  it.each(calls.map((claim) => [claim.block.place, claim] as const))(
    "decide calls as the page says: %s",
    async (_, claim) => {
      expect(await callOutcomes(claim)).toBe(claim.block.text);
    },
  );

  it.each(results.map((claim) => [claim.block.place, claim] as const))(
    "decide results as the page says: %s",
    async (_, claim) => {
      expect(await resultOutcomes(claim)).toBe(claim.block.text);
    },
  );

  it.each(returned.map((claim) => [claim.block.place, claim] as const))(
    "release what the page says: %s",
    async (_, claim) => {
      const shown = claimsOf(REFERENCE, "json released").find(
        ({ policy }) => policy.place === claim.policy.place,
      );
      expect(await released(claim)).toEqual(JSON.parse(shown?.block.text ?? "null"));
    },
  );
});

describe("the reference of the policy language", () => {
  it("shows the faults of its faulty policy as loading prints them", () => {
    const { text } = onlyBlock(REFERENCE, "yaml faulty");
    const file = "policy.yaml";
    const load = () => loadPolicy(text, { now: 0, file });
    expect(load).toThrow(ConfigurationError);
    try {
      load();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const printed = formatDiagnostics(error.diagnostics, { text, file });
      expect(onlyBlock(REFERENCE, "text faults").text).toBe(`${printed}\n`);
    }
  });

  it("has the tables that the code makes", async () => {
    const path = join(root, "scripts/generate-docs.mjs");
    const { withTables }: { withTables: (text: string) => string } = await import(path);
    for (const [name, tables] of [
      [REFERENCE, 4],
      ["docs/cli.md", 1],
    ] as const) {
      const page = readPage(name);
      expect(withTables(page)).toBe(page);
      expect(page.match(/<!-- table: \w+ -->/g)).toHaveLength(tables);
    }
  });

  it("of ten minutes is what its commands print", { timeout: 120_000 }, async () => {
    const path = join(root, "scripts/record-ten-minutes.mjs");
    const { record }: { record: () => string } = await import(path);
    expect(record()).toBe(readPage("docs/ten-minutes.md"));
  });

  it("lists every reason code", () => {
    const section = /## Layers and reason codes\n([\s\S]*?)\n## /.exec(readPage(REFERENCE))?.[1] ?? "";
    const listed = [...section.matchAll(/\| `(\w+)` \|/g)].map(([, code]) => code);
    expect(listed.sort()).toEqual([...REASON_CODES].sort());
  });
});

describe("the TypeScript in the docs", () => {
  it("compiles against the packages as they are built", () => {
    // The web page's are about express, whose own types for `request.user` are the application's business.
    const blocks = pages.filter((page) => page !== "docs/web.md").flatMap((page) => blocksWith(page, "ts"));
    expect(blocks.length).toBeGreaterThan(10);
    expect(compileBlocks(blocks)).toEqual([]);
  });
});

describe("the index of decisions", () => {
  it("lists every page", () => {
    const numbered = pagesIn("docs/decisions").filter((page) => /\/\d{4}-/.test(page));
    const index = readPage("docs/decisions/README.md");
    expect(numbered.filter((page) => !index.includes(`](${basename(page)})`))).toEqual([]);
  });
});

describe("the links in the docs", () => {
  const LINK = /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g;

  it.each(pages)("of %s lead to something", (page) => {
    const broken = [...readPage(page).matchAll(LINK)].filter(([, path = "", anchor]) => {
      const target = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  /** The anchors that headings have where Markdown is shown. */
  function anchorsOf(page: string): readonly string[] {
    return [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    );
  }
});
