import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { d2, PROGRAM } from "./run-d2.js";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "d2-init-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const put = (path: string, text: string): void => {
  mkdirSync(join(cwd, path, ".."), { recursive: true });
  writeFileSync(join(cwd, path), text);
};

const APP = `import { d2Guard } from "d2-sdk";
const id = process.argv[2] ?? "";
export const read = d2Guard("docs.read", ({ id }: { id: string }) => id);
export const drop = d2Guard("docs.delete", ({ id }: { id: string }) => id);
export const some = d2Guard(id, () => 1);
`;

describe("d2 init", () => {
  it("writes a policy that is sound and fits the code, and says what it found", async () => {
    put("src/app.ts", APP);
    const { code, stdout } = await d2(["init", "--output", "policy.yaml"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("read 1 file: 2 guarded tools:");
    expect(stdout).toMatch(/docs\.read +src\/app\.ts:3/);
    expect(stdout).toContain("1 guard whose tool id is worked out when the program runs:\n  src/app.ts:5");
    const policy = readFileSync(join(cwd, "policy.yaml"), "utf8");
    expect(policy).toMatch(/^# yaml-language-server: \$schema=.*policy\.schema\.json\n/);
    expect(policy).toContain("src/app.ts:5");
    const diagnosed = await d2(["diagnose", "--strict"], { cwd });
    expect(diagnosed.stdout).toContain("no errors, no warnings");
    expect(diagnosed.code).toBe(0);
    const viewer = ["explain", "--user", "v", "--roles", "viewer", "--check", "--tool"];
    expect((await d2([...viewer, "docs.read"], { cwd })).code).toBe(0);
    expect((await d2([...viewer, "docs.delete"], { cwd })).code).toBe(1);
  });

  it("writes into the user's configuration where nothing else is said, where guards find it", async () => {
    put("src/app.ts", APP);
    const env = { XDG_CONFIG_HOME: join(cwd, "home") };
    expect((await d2(["init"], { cwd, env })).code).toBe(0);
    expect(existsSync(join(cwd, "home/d2/policy.yaml"))).toBe(true);
    expect((await d2(["inspect"], { cwd, env })).stdout).toContain("viewer");
  });

  it("never overwrites, unless it is told to", async () => {
    put("policy.yaml", "mine\n");
    const refused = await d2(["init", "--output", "policy.yaml"], { cwd });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("`policy.yaml` is there already and was left as it is");
    expect(readFileSync(join(cwd, "policy.yaml"), "utf8")).toBe("mine\n");
    const forced = await d2(["init", "--output", "policy.yaml", "--force"], { cwd });
    expect(forced.stdout).toContain("overwrote policy.yaml");
    expect(readFileSync(join(cwd, "policy.yaml"), "utf8")).toContain("role: admin");
  });

  it("writes JSON where that is asked for or named, and refuses a contradiction", async () => {
    put("app.js", 'import { d2Guard } from "d2-sdk";\nd2Guard("a.read", () => 1);\n');
    expect((await d2(["init", "--output", "policy.json"], { cwd })).code).toBe(0);
    expect(JSON.parse(readFileSync(join(cwd, "policy.json"), "utf8"))).toHaveProperty("policies");
    const { code, stderr } = await d2(["init", "--output", "p.yaml", "--format", "json"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("`--format json` does not go with the name `p.yaml`");
  });

  it("gives what it found as a document", async () => {
    put("src/app.ts", APP);
    const { stdout } = await d2(["init", "--output", "policy.yaml", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      format: "d2.init",
      version: 1,
      path: "policy.yaml",
      found: { tools: [{ tool: "docs.read", file: "src/app.ts", line: 3 }, { tool: "docs.delete" }] },
    });
  });
});

const POLICY = "policies:\n  - role: reader\n    permissions: [docs.read]\n";
const tests = (expectation: string): string =>
  `users: { ann: { roles: [reader] } }\ntests:\n  - { name: ann reads, user: ann, call: docs.read, expect: ${expectation} }\n`;

describe("d2 test", () => {
  it("ends with 1 when a test fails, and says where and why", async () => {
    put("policy.yaml", POLICY);
    put("policy.test.yaml", tests("deny"));
    const { code, stdout } = await d2(["test"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain("FAIL   ann reads");
    expect(stdout).toContain("policy.test.yaml:3:5");
  });

  it("finds the tests below the folder, each with the policy beside it", async () => {
    for (const name of ["a", "b/c"]) {
      put(`${name}/policy.yaml`, POLICY);
      put(`${name}/policy.test.yaml`, tests("allow"));
    }
    put("node_modules/x/policy.test.yaml", "tests: nothing\n");
    put("other.test.json", '{"suites": []}');
    const { code, stdout } = await d2(["test", "--json"], { cwd });
    expect(code).toBe(0);
    const { runs } = JSON.parse(stdout);
    expect(runs.map((run: { policy: { file: string } }) => run.policy.file)).toEqual([
      "a/policy.yaml",
      "b/c/policy.yaml",
    ]);
  });

  it("prints for build servers", async () => {
    put("policy.yaml", POLICY);
    put("policy.test.yaml", tests("allow"));
    expect((await d2(["test", "--reporter", "junit"], { cwd })).stdout).toMatch(
      /^<\?xml .*\n<testsuites .*tests="1"/,
    );
    expect((await d2(["test", "--reporter", "tap"], { cwd })).stdout).toBe(
      "TAP version 14\n1..1\nok 1 - ann reads\n",
    );
    expect(JSON.parse((await d2(["test", "--reporter", "json"], { cwd })).stdout)).toMatchObject({
      format: "d2.test",
    });
  });

  it("holds the coverage that is asked for", async () => {
    put("policy.yaml", `${POLICY}      - docs.write\n`.replace("[docs.read]", "\n      - docs.read"));
    put("policy.test.yaml", tests("allow"));
    const { code, stderr } = await d2(["test", "--min-coverage", "90"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(/the tests touch [\d.]+ % of the rules of `policy.yaml`, and 90 % are asked for/);
    expect((await d2(["test", "--min-coverage", "10"], { cwd })).code).toBe(0);
  });

  it.each([
    [[], "there are no policy tests below"],
    [["--filter", "nothing like it", "."], "no test's name contains `nothing like it`"],
    [["absent.test.yaml"], "there is no `absent.test.yaml`"],
    [["--min-coverage", "many"], "`--min-coverage` must be a whole number"],
  ])("refuses %j with 2", async (args, words) => {
    if (args.includes("--filter")) {
      put("policy.yaml", POLICY);
      put("policy.test.yaml", tests("allow"));
    }
    const { code, stderr } = await d2(["test", ...args], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it("shows the faults of a test file with their places", async () => {
    put("policy.yaml", POLICY);
    put("policy.test.yaml", tests("allow").replace("expect", "expects"));
    const { code, stderr } = await d2(["test"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("--> policy.test.yaml:3:");
  });

  it("runs again when the policy changes, and ends when it is told to", async () => {
    put("policy.yaml", POLICY);
    put("policy.test.yaml", tests("allow"));
    const child = spawn(process.execPath, [PROGRAM, "test", "--watch"], {
      cwd,
      env: { ...process.env, XDG_CONFIG_HOME: cwd },
    });
    let printed = "";
    let look: () => void = () => undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => {
        printed += part.toString();
        look();
      });
    }
    /** What was printed until the command waits again. */
    const untilItWaits = (): Promise<string> =>
      new Promise((resolve) => {
        look = () => {
          const end = printed.indexOf("waiting for a change");
          if (end < 0) return;
          const text = printed.slice(0, end);
          printed = printed.slice(end + "waiting for a change".length);
          resolve(text);
        };
        look();
      });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    expect(await untilItWaits()).toContain("1 passed");
    writeFileSync(join(cwd, "policy.yaml"), POLICY.replace("docs.read", "docs.write"));
    expect(await untilItWaits()).toContain("1 failed");
    writeFileSync(join(cwd, "policy.yaml"), "policies: 7\n");
    expect(await untilItWaits()).toContain("policy.yaml:1:11");
    writeFileSync(join(cwd, "policy.yaml"), POLICY);
    expect(await untilItWaits()).toContain("1 passed");
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });
});
