import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { FakeControlPlane, TOKEN } from "./fake-control-plane.js";
import { IngestServer } from "./ingest-server.js";
import { PolicyFolder, policyText } from "./policy-folder.js";

const run = promisify(execFile);
const built = (path: string) => JSON.stringify(new URL(`../dist/${path}`, import.meta.url).href);

/** Runs a module in a process of its own, on the built package; fails if it does not end by itself. */
async function inProcess(body: string, environment: Record<string, string>): Promise<string[]> {
  const folder = new PolicyFolder();
  folder.write("policy.yaml", policyText("mine"));
  const imports = `import { configureRbac, d2Guard, runAs } from ${built("index.js")};`;
  const { stdout, stderr } = await run(
    process.execPath,
    ["--input-type=module", "-e", `${imports}\n${body}`],
    {
      cwd: folder.path,
      env: { PATH: process.env["PATH"], HOME: folder.path, D2_SILENT: "1", ...environment },
      timeout: 25_000,
    },
  );
  return [stdout.trim(), stderr.trim()];
}

const CALL = `await configureRbac(); const read = d2Guard("read", () => 1);
  runAs("alice", { roles: ["reader"] }, () => read()); console.log("done", Date.now());`;

describe("a process that has nothing left to do", () => {
  it("sends its usage events before it ends", async () => {
    const server = await IngestServer.start();
    server.plane = await FakeControlPlane.start();
    const [stdout, stderr] = await inProcess(CALL, { D2_TOKEN: TOKEN, D2_API_URL: server.url });
    expect(stdout).toMatch(/^done/);
    expect(stderr).toBe("");
    expect(server.of("authz_decision")).toMatchObject([
      { tool_id: "read", user_id: "alice", service: "first" },
    ]);
  });

  it("does not wait for a control plane that never answers for longer than two seconds", async () => {
    const server = await IngestServer.start();
    server.plane = await FakeControlPlane.start();
    server.answers.push(...Array(10).fill(() => undefined));
    server.tellAccount = () => undefined;
    const [stdout] = await inProcess(CALL, { D2_TOKEN: TOKEN, D2_API_URL: server.url });
    const ended = Date.now();
    expect(ended - Number(stdout?.split(" ")[1])).toBeLessThan(5000);
    expect(server.posts).toHaveLength(1);
  });

  it("has its metrics exported where the environment names a place and the app has no provider", async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      request.setEncoding("utf8");
      let text = "";
      request.on("data", (part) => {
        text += part;
      });
      request.on("end", () => {
        bodies.push(`${request.url} ${text}`);
        response.end("{}");
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void collector.close());
    const { port } = collector.address() as AddressInfo;
    const body = `${CALL}
      import { metrics } from ${JSON.stringify(import.meta.resolve("@opentelemetry/api"))};
      console.log(metrics.getMeterProvider().constructor.name);`;
    const [stdout] = await inProcess(body, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_SERVICE_NAME: "my-service",
    });
    expect(stdout).toContain("NoopMeterProvider");
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatch(/^\/v1\/metrics /);
    for (const part of ["d2.authz.decision.total", "my-service", "read"]) expect(bodies[0]).toContain(part);
    expect(bodies[0]).not.toContain("alice");
  });
});
