import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPolicy } from "d2-policy";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** The fenced blocks of a page that begin with this info string. */
function blocks(page: string, info: string): string[] {
  const fence = new RegExp(`^\`\`\`${info}\\n([\\s\\S]*?)^\`\`\``, "gm");
  return [...read(page).matchAll(fence)].map(([, text]) => text ?? "");
}

describe("the README", () => {
  const [example = ""] = blocks("README.md", "ts");
  const [printed = ""] = blocks("README.md", "text");

  it("quotes the ten lines of the example as they are", () => {
    const source = read("examples/ten-lines/main.ts");
    const quoted = /\/\/ #region readme\n([\s\S]*?)\/\/ #endregion/.exec(source)?.[1];
    expect(example).toBe(quoted);
  });

  it("shows what the ten lines print", () => {
    const folder = mkdtempSync(join(tmpdir(), "d2-readme-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    // The one annotation of the example is all that keeps it from being JavaScript.
    writeFileSync(join(folder, "main.mjs"), example.replaceAll(": string", ""));
    const { stdout, status } = spawnSync(process.execPath, ["main.mjs"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, D2_SILENT: "1" },
    });
    expect(stdout).toBe(printed);
    expect(status).toBe(0);
  });

  it("names no page that is not there", () => {
    for (const page of [
      "README.md",
      "docs/policy.md",
      "docs/guard.md",
      "docs/decisions/README.md",
      "CONTRIBUTING.md",
    ]) {
      for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        const path = join(page, "..", target);
        expect(
          () => read(path.endsWith("decisions") ? `${path}/README.md` : path),
          `${page}: ${target}`,
        ).not.toThrow();
      }
    }
  });
});

describe("the policies in the docs", () => {
  it.each(["README.md", "docs/policy.md"])("%s: every one loads, without a warning", (page) => {
    const policies = blocks(page, "yaml policy");
    expect(policies.length).toBeGreaterThan(0);
    for (const text of policies)
      expect(loadPolicy(text, { now: 0 }).warnings.map(({ message }) => message)).toEqual([]);
  });

  it("stand beside tables that are made from the code", () => {
    expect(() =>
      execFileSync(process.execPath, [join(root, "scripts/generate-docs.mjs"), "--check"]),
    ).not.toThrow();
  });
});
