import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { PolicyFolder, policyText } from "./policy-folder.js";

const run = promisify(execFile);
const built = (path: string) => new URL(`../dist/${path}`, import.meta.url).href;

/** Runs a module in a process of its own, on the built package, in a folder; fails if it does not end by itself. */
async function inProcess(folder: PolicyFolder, body: string, environment: Record<string, string> = {}) {
  const imports = `import * as setup from ${JSON.stringify(built("setup/configure.js"))};`;
  const { stdout, stderr } = await run(
    process.execPath,
    ["--input-type=module", "-e", `${imports}\n${body}`],
    {
      cwd: folder.path,
      env: { PATH: process.env["PATH"], HOME: folder.at("home"), ...environment },
      timeout: 20_000,
      maxBuffer: 2 ** 26,
    },
  );
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

describe("a process", () => {
  it("with nothing left to do ends by itself, though its policy is watched and expires", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", `metadata: { name: mine, expires: 2999-01-01 }\npolicies: []\n`);
    const { stdout, stderr } = await inProcess(
      folder,
      `const { policy } = await setup.configureRbac(); console.log(policy.name, policy.source);`,
    );
    expect(stdout).toBe("mine policy.yaml");
    expect(stderr).toMatch(/^d2: the policy "mine" \(sha256:[0-9a-f]{16}\) from policy.yaml is in force$/);
  });

  it("has its policy in force when the blocking set-up returns, and no warning of Node's", async () => {
    const folder = new PolicyFolder();
    folder.write("home/.config/d2/policy.yaml", policyText("home"));
    folder.write("policy.yaml", policyText("here"));
    const { stdout, stderr } = await inProcess(
      folder,
      `setup.configureRbacSync(); console.log(setup.getPolicyManager().policy.name);`,
    );
    expect(stdout).toBe("home");
    expect(stderr).toMatch(/^d2: [^\n]*is in force; it hides policy.yaml$/);
  });

  it("loads one policy engine, whichever of the two set-ups came first", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", "policies: 1");
    const { stdout } = await inProcess(
      folder,
      `import { ConfigurationError } from ${JSON.stringify(import.meta.resolve("d2-core/call"))};
       const caught = [];
       try { setup.configureRbacSync(); } catch (error) { caught.push(error instanceof ConfigurationError); }
       await setup.configureRbac().catch((error) => caught.push(error instanceof ConfigurationError));
       console.log(caught.join());`,
    );
    expect(stdout).toBe("true,true");
  });

  it("loads the YAML reader and the regex engine only when a policy is set up", async () => {
    const folder = new PolicyFolder();
    folder.write("policy.yaml", "policies: []");
    const [before, after] = await Promise.all(
      ["", "await setup.configureRbac();"].map((body) => inProcess(folder, body, { NODE_DEBUG: "esm" })),
    );
    for (const part of ["node_modules/yaml/", "node_modules/re2js/", "policy/lib/index.js"]) {
      expect(before?.stderr).not.toContain(part);
      expect(after?.stderr).toContain(part);
    }
  });

  it("that has no policy anywhere is told where one could be", async () => {
    const folder = new PolicyFolder();
    const { stdout } = await inProcess(
      folder,
      "await setup.configureRbac().catch((error) => console.log(error.message));",
    );
    expect(stdout).toContain("there is no policy file");
    expect(stdout).toContain(folder.at("policy.{yaml,yml,json}"));
    expect(stdout).toContain(folder.at("home/.config/d2/policy.{yaml,yml,json}"));
    expect(stdout).toContain("`d2 init`");
  });
});
