import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { d2, repo } from "./run-d2.js";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "d2-policies-"));
  for (const name of POLICIES)
    cpSync(repo(`examples/policies/${name}`), join(cwd, name), { recursive: true });
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const POLICIES = ["support-desk", "data-platform", "coding-agent"] as const;

const document = (stdout: string, format: string): Record<string, unknown> => {
  const read = JSON.parse(stdout);
  expect(read).toMatchObject({ format: `d2.${format}`, version: 1 });
  return read;
};

describe.each(POLICIES)("the policy of %s", (name) => {
  const policy = `${name}/policy.yaml`;
  const run = (...args: string[]) => d2(args, { cwd });

  it("is sound", async () => {
    const { code, stdout } = await run("diagnose", "--policy", policy, "--no-code");
    expect(stdout).toMatch(/(no errors, no warnings|0 errors, 1 warning)\n$/);
    expect(code).toBe(0);
  });

  it("is said in words, as a tree, for one role and as a table", async () => {
    const whole = await run("inspect", "--policy", policy, "--verbose");
    expect(whole.code).toBe(0);
    const read = document((await run("inspect", "--policy", policy, "--json")).stdout, "inspect");
    const { roles } = read["description"] as { roles: { role: string }[] };
    for (const { role } of roles) expect(whole.stdout).toContain(role);
    const one = await run("inspect", "--policy", policy, "--role", roles[0]?.role ?? "");
    expect(one.stdout).not.toContain(`─ ${roles[1]?.role}`);
    const matrix = await run("inspect", "--policy", policy, "--matrix");
    expect(matrix.stdout).toContain("yes: may call");
    for (const line of matrix.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("passes its tests, with some coverage", async () => {
    const { code, stdout } = await run("test", name, "--coverage");
    expect(stdout).toMatch(/\d+ tests: \d+ passed\n/);
    expect(stdout).toMatch(/coverage: \d/);
    expect(code).toBe(0);
  });

  it("is analysed to the end", async () => {
    const { code, stdout } = await run("analyze", "--policy", policy, "--json");
    expect(code).toBe(0);
    expect(document(stdout, "analyze")).toMatchObject({ unfinished: [] });
  });

  it("does not differ from itself", async () => {
    const { code, stdout } = await run("diff", policy, policy, "--fail-on", "any", "--json");
    expect(code).toBe(0);
    expect(document(stdout, "diff")).toMatchObject({ direction: "same", changes: [] });
  });
});

describe("the policies of the examples", () => {
  const files = readdirSync(repo("examples"), { recursive: true, encoding: "utf8" })
    .filter((file) => /policy[\w.]*\.yaml$/.test(file) && !/\.test\.yaml$|node_modules/.test(file))
    .sort();

  it.each(files)("%s is sound, said in words, and analysed to the end", async (file) => {
    const policy = repo(`examples/${file}`);
    const [diagnosed, inspected, analysed] = await Promise.all([
      d2(["diagnose", "--policy", policy, "--no-code"], { cwd }),
      d2(["inspect", "--policy", policy], { cwd }),
      d2(["analyze", "--policy", policy, "--json"], { cwd }),
    ]);
    expect(diagnosed.code).toBe(0);
    expect(inspected.stdout).toMatch(/^roles\n/m);
    expect(inspected.code).toBe(0);
    expect(document(analysed.stdout, "analyze")).toMatchObject({ unfinished: [] });
  });
});

describe("d2 inspect", () => {
  it("refuses a role that the policy does not know", async () => {
    const { code, stderr } = await d2(
      ["inspect", "--policy", "support-desk/policy.yaml", "--role", "suport"],
      { cwd },
    );
    expect(code).toBe(2);
    expect(stderr).toContain("`--role` names `suport`");
    expect(stderr).toContain("`supervisor`");
  });

  it("shows one user who holds several roles", async () => {
    const args = ["inspect", "--policy", "data-platform/policy.yaml", "--user-roles", "analyst,engineer"];
    const { stdout } = await d2(args, { cwd });
    expect(stdout).toContain("a user with analyst and engineer");
    expect(stdout).toContain("may never call `bucket.delete`: analyst and engineer forbid it");
  });
});

describe("d2 diagnose", () => {
  it("ends with 1 for a faulty policy, and shows all its faults", async () => {
    const text = readFileSync(join(cwd, "coding-agent/policy.yaml"), "utf8");
    writeFileSync(
      join(cwd, "faulty.yaml"),
      text.replace("maxLength: 40,", "maxlen: 40,").replace("[npm, node", "["),
    );
    const { code, stdout } = await d2(["diagnose", "--policy", "faulty.yaml", "--no-code"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain("faulty.yaml:");
    expect(stdout).toMatch(/\d errors?, /);
  });

  it("compares the policy with the code", async () => {
    const project = mkdtempSync(join(tmpdir(), "d2-project-"));
    try {
      writeFileSync(
        join(project, "app.ts"),
        'import { d2Guard } from "d2-sdk";\nexport const a = d2Guard("docs.read", ({ id }: { id: string }) => id);\nexport const b = d2Guard("docs.erase", () => 1);\n',
      );
      const rule = "{ tool: docs.read, conditions: { input: { ident: { required: true } } } }";
      writeFileSync(
        join(project, "policy.yaml"),
        `policies:\n  - role: r\n    permissions:\n      - ${rule}\n      - docs.lost\n`,
      );
      const { code, stdout } = await d2(["diagnose"], { cwd: project });
      expect(code).toBe(0);
      expect(stdout).toContain("app.ts:3:");
      expect(stdout).toContain("docs.erase");
      expect(stdout).toContain("docs.lost");
      expect(stdout).toContain("ident");
      expect((await d2(["diagnose", "--strict"], { cwd: project })).code).toBe(1);
      const { diagnostics } = document(
        (await d2(["diagnose", "--json"], { cwd: project })).stdout,
        "diagnose",
      );
      expect(diagnostics).toHaveLength(2);
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });
});

describe("d2 explain", () => {
  const explain = (...args: string[]) =>
    d2(["explain", "--policy", "coding-agent/policy.yaml", "--user", "bot", "--roles", "agent", ...args], {
      cwd,
    });

  it("names the deciding rule with its place, and what would change the answer", async () => {
    const { code, stdout } = await explain(
      "--tool",
      "shell.run",
      "--history",
      "web.fetch",
      "--args",
      '{"command":"npm"}',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^`shell.run` for `agent`: deny, sequence_violation by .* at coding-agent\/policy.yaml:\d+:\d+$/m,
    );
    expect(stdout).toContain("call `ask.user` first");
  });

  it("ends with 1 for a denial when it is asked to check, and with 0 for what is allowed", async () => {
    expect((await explain("--tool", "git.push", "--args", '{"branch":"main"}', "--check")).code).toBe(1);
    expect((await explain("--tool", "git.push", "--args", '{"branch":"agent/x"}', "--check")).code).toBe(0);
  });

  it("counts a release that is refused as a denial", async () => {
    const args = ["--tool", "fs.read", "--args", '{"path":"a"}', "--output", '"-----BEGIN PRIVATE KEY-----"'];
    const { code, stdout } = await explain(...args, "--check");
    expect(stdout).toContain("released: deny, output_sanitization");
    expect(code).toBe(1);
  });

  it("never repeats an argument", async () => {
    const args = ["--tool", "shell.run", "--args", '{"command":"s3cr3t-value"}'];
    for (const more of [[], ["--json"]])
      expect((await explain(...args, ...more)).stdout).not.toContain("s3cr3t");
  });

  it("reads arguments from standard input", async () => {
    const { stdout } = await d2(
      [
        "explain",
        "--policy",
        "coding-agent/policy.yaml",
        "--user",
        "bot",
        "--roles",
        "agent",
        "--tool",
        "web.fetch",
        "--args",
        "-",
        "--json",
      ],
      { cwd, input: '{"url":"https://example.org/"}' },
    );
    expect(document(stdout, "explain")).toMatchObject({ decision: { outcome: "allow" } });
  });

  it.each([
    [["--tool", "x", "--args", "{'a': 1}"], "`--args` is no JSON"],
    [["--tool", "x", "--args", "7"], "must be a mapping of names"],
    [[], "`--tool` names the tool"],
    [["--tool", "x", "--args", "-", "--output", "-"], "standard input is read once"],
  ])("refuses %j without repeating it", async (args, words) => {
    const { code, stderr } = await explain(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain("'a'");
  });
});

describe("d2 diff", () => {
  const changed = (name: string, from: string, to: string): string => {
    const text = readFileSync(join(cwd, name), "utf8");
    expect(text).toContain(from);
    const next = name.replace("/policy", `/next-${to.length}-${from.length}`);
    writeFileSync(join(cwd, next), text.replace(from, to));
    return next;
  };

  it("ends with 1 when something is loosened and that was asked", async () => {
    const next = changed("support-desk/policy.yaml", "gt: 0, max: 100", "gt: 0, max: 1000");
    const { code, stdout } = await d2(["diff", "support-desk/policy.yaml", next, "--fail-on", "loosened"], {
      cwd,
    });
    expect(stdout).toContain("argument `amount` of `refund.create` must be at most 1000, before at most 100");
    expect(code).toBe(1);
    expect((await d2(["diff", "support-desk/policy.yaml", next], { cwd })).code).toBe(0);
    expect(
      (await d2(["diff", next, "support-desk/policy.yaml", "--fail-on", "loosened"], { cwd })).code,
    ).toBe(0);
    expect((await d2(["diff", next, "support-desk/policy.yaml", "--fail-on", "any"], { cwd })).code).toBe(1);
  });

  it("shows the sequence that opens, and reads the old policy from standard input", async () => {
    const next = changed(
      "data-platform/policy.yaml",
      '- allow: ["@sensitive", "@aggregate", "@egress"]',
      '- allow: ["@sensitive", "@egress"]',
    );
    const input = readFileSync(join(cwd, "data-platform/policy.yaml"), "utf8");
    const { code, stdout } = await d2(["diff", "-", next, "--fail-on", "loosened"], { cwd, input });
    expect(code).toBe(1);
    expect(stdout).toMatch(/`analyst` may now call `export.csv` after `table.read_people`/);
  });
});

describe("d2 analyze", () => {
  it("proves what cannot happen, and shows how what can does", async () => {
    const ask = (...args: string[]) =>
      d2(["analyze", "--policy", "data-platform/policy.yaml", ...args], { cwd });
    const never = await ask("--from", "table.read_health", "--to", "@egress", "--check");
    expect(never.code).toBe(0);
    expect(never.stdout).toContain("cannot  a user with `admin` can never call");
    const can = await ask(
      "--role",
      "analyst",
      "--from",
      "table.read_people",
      "--to",
      "export.csv",
      "--check",
    );
    expect(can.code).toBe(1);
    expect(can.stdout).toContain('3. `export.csv` {"path":"exports/"}: allowed');
  });

  it("says that it stopped, and counts that as no proof", async () => {
    const args = ["--from", "table.read_people", "--to", "@egress", "--max-states", "1", "--check", "--json"];
    const { code, stdout } = await d2(["analyze", "--policy", "data-platform/policy.yaml", ...args], { cwd });
    expect(code).toBe(1);
    const { answers } = document(stdout, "analyze") as { answers: { answer: string }[] };
    expect(answers.map(({ answer }) => answer)).toContain("stopped");
  });

  it("refuses a question about what nobody knows", async () => {
    const { code, stderr } = await d2(
      ["analyze", "--policy", "support-desk/policy.yaml", "--to", "@nothing"],
      { cwd },
    );
    expect(code).toBe(2);
    expect(stderr).toContain("@nothing");
  });
});
