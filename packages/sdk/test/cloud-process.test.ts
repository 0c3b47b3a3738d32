import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { FakeControlPlane, TOKEN } from "./fake-control-plane.js";
import { PolicyFolder } from "./policy-folder.js";

const run = promisify(execFile);
const setup = new URL("../dist/setup/configure.js", import.meta.url).href;

/** Runs a module in a process of its own, on the built package; fails if it does not end by itself. */
async function inProcess(body: string, environment: Record<string, string>): Promise<string[]> {
  const folder = new PolicyFolder();
  const { stdout, stderr } = await run(
    process.execPath,
    ["--input-type=module", "-e", `import * as setup from ${JSON.stringify(setup)};\n${body}`],
    {
      cwd: folder.path,
      env: { PATH: process.env["PATH"], HOME: folder.path, ...environment },
      timeout: 25_000,
      maxBuffer: 2 ** 26,
    },
  );
  return [stdout.trim(), stderr.trim()];
}

const cloud = ({ url }: FakeControlPlane) => ({ D2_TOKEN: TOKEN, D2_API_URL: url });

describe("a process in cloud mode", () => {
  it("ends by itself, though the control plane is to be asked again", async () => {
    const plane = await FakeControlPlane.start();
    const body =
      "const { policy } = await setup.configureRbac(); console.log(policy.name, policy.bundle.version);";
    const [stdout, stderr] = await inProcess(body, cloud(plane));
    expect(stdout).toBe("first 1");
    expect(stderr).toMatch(
      /^d2: the policy "first" \(sha256:\w+\) from the control plane http\S+ is in force$/,
    );
  });

  it("has its policy in force when the blocking set-up returns, and ends by itself", async () => {
    const plane = await FakeControlPlane.start();
    const body = "console.log(setup.configureRbacSync().policy.name);";
    const [stdout, stderr] = await inProcess(body, cloud(plane));
    expect(stdout).toBe("first");
    expect(stderr).toMatch(/^d2: the policy "first" [^\n]* is in force$/);
  });

  it("loads what verifies signatures; one whose policy is its own does not", async () => {
    const plane = await FakeControlPlane.start();
    const watched = { NODE_DEBUG: "esm" };
    const [, own] = await inProcess("await setup.configureRbac({ policy: { policies: [] } });", watched);
    const [, signed] = await inProcess("await setup.configureRbac();", { ...watched, ...cloud(plane) });
    expect(own).not.toContain("node_modules/jose/");
    expect(signed).toContain("node_modules/jose/");
  });
});
