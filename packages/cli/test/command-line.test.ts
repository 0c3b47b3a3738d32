import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../src/command-line.js";
import { d2 } from "./run-d2.js";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "d2-line-"));
  writeFileSync(join(cwd, "policy.yaml"), "policies:\n  - role: reader\n    permissions: [docs.read]\n");
  writeFileSync(join(cwd, "broken.yaml"), "policies:\n  - role: reader\n    permision: [docs.read]\n");
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("the command line", () => {
  it("shows every command with its summary, those for a control plane too", async () => {
    const { code, stdout } = await d2(["--help"], { cwd });
    expect(code).toBe(0);
    const shown = stdout.replaceAll(/\s+/g, " ");
    for (const { name, summary } of COMMANDS)
      expect(shown).toMatch(new RegExp(`${name}.*${summary.slice(0, 20)}`));
    expect(stdout).toContain("Exit codes: 0 ok; 1 the answer is no");
  });

  it.each(COMMANDS.map(({ name }) => name))("has help with examples for %s", async (name) => {
    const { code, stdout } = await d2(["help", name], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:\n  ");
    expect(stdout).toContain("--json");
  });

  it.each([
    [["frobnicate"], "unknown command 'frobnicate'"],
    [["inspect", "--colour"], "unknown option '--colour'"],
    [["verify"], "missing required argument 'log'"],
    [["schema", "everything"], "Allowed choices are policy, tests"],
    [["test", "--reporter", "xml"], "Allowed choices are pretty, junit, json, tap"],
    [["diff", "a.yaml", "b.yaml", "c.yaml"], "too many arguments"],
  ])("refuses %j with 2 and says what is wrong", async (args, words) => {
    const { code, stdout, stderr } = await d2(args, { cwd });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/^d2: /);
  });

  it("tells the version of its package", async () => {
    expect((await d2(["--version"], { cwd })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("shows the faults of a policy with their places, and no stack", async () => {
    const { code, stderr } = await d2(["inspect", "--policy", "broken.yaml"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("--> broken.yaml:3:5");
    expect(stderr).toContain("help: write `permissions`");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("shows the stack with --debug", async () => {
    const { stderr } = await d2(["inspect", "--policy", "broken.yaml", "--debug"], { cwd });
    expect(stderr).toMatch(/\n\s+at /);
  });

  it("gives errors as a document too with --json", async () => {
    const { code, stdout } = await d2(["inspect", "--policy", "broken.yaml", "--json"], { cwd });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      format: "d2.error",
      version: 1,
      command: "inspect",
      diagnostics: [{ line: 3, column: 5, suggestion: "permissions" }],
    });
  });

  it("names the file that is not there, and what to do", async () => {
    const { code, stderr } = await d2(["inspect", "--policy", "absent.yaml"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toBe(
      "d2: there is no policy `absent.yaml`: name one that is there, or write one with `d2 init`\n",
    );
  });

  it("finds the policy as a guard does, the environment first", async () => {
    const env = { D2_POLICY_FILE: "elsewhere.yaml" };
    const { code, stderr } = await d2(["inspect"], { cwd, env });
    expect(code).toBe(2);
    expect(stderr).toContain("`D2_POLICY_FILE` names `elsewhere.yaml`, which does not exist");
    expect((await d2(["inspect"], { cwd })).stdout).toContain("may call `docs.read`");
  });

  it("reads a policy from standard input", async () => {
    const input = "policies: [{ role: writer, permissions: [docs.write] }]";
    const { code, stdout } = await d2(["inspect", "--policy", "-"], { cwd, input });
    expect(code).toBe(0);
    expect(stdout).toContain("may call `docs.write`");
  });

  it.each([
    [{}, false],
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "0" }, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "" }, true],
  ])("prints to a pipe under %j with colours: %s", async (env, coloured) => {
    const { stdout } = await d2(["inspect"], { cwd, env });
    expect(stdout.includes("\u001b[")).toBe(coloured);
  });

  it("ends quietly when nobody reads on", async () => {
    const { spawnSync } = await import("node:child_process");
    const { PROGRAM } = await import("./run-d2.js");
    const { stderr, status } = spawnSync(
      "sh",
      ["-c", `"${process.execPath}" "${PROGRAM}" schema | head -c 10`],
      { cwd },
    );
    expect(String(stderr)).toBe("");
    expect(status).toBe(0);
  });
});

describe("shell completion", () => {
  it.each(["bash", "zsh", "fish"])("for %s names every command and option", async (shell) => {
    const { code, stdout } = await d2(["completion", shell], { cwd });
    expect(code).toBe(0);
    for (const { name, options } of COMMANDS) {
      expect(stdout).toContain(name);
      for (const { flags } of options) {
        const long = /--([\w-]+)/.exec(flags)?.[1] ?? "";
        expect(stdout).toContain(long);
      }
    }
  });

  it("completes in a real bash", async () => {
    const { spawnSync } = await import("node:child_process");
    const { stdout: script } = await d2(["completion", "bash"], { cwd });
    const complete = (line: string): string[] => {
      const words = line.split(" ");
      const program = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _d2; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync("bash", ["-c", program], { cwd, encoding: "utf8" }).stdout.trim().split("\n");
    };
    expect(complete("d2 ana")).toEqual(["analyze"]);
    expect(complete("d2 test --rep")).toEqual(["--reporter"]);
    expect(complete("d2 test --reporter ")).toEqual(["pretty", "junit", "json", "tap"]);
    expect(complete("d2 inspect --policy pol")).toEqual(["policy.yaml"]);
    expect(complete("d2 schema t")).toEqual(["tests"]);
  });
});
