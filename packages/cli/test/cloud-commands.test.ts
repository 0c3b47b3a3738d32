import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureRbac, d2Guard, runAs, shutdownRbac } from "d2-sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootstrapped, type RunningControlPlane } from "./control-plane.js";
import { d2, type Ended, PROGRAM, repo } from "./run-d2.js";

let cwd: string;
let plane: RunningControlPlane;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), "d2-cloud-"));
  plane = await bootstrapped("shop");
  for (const name of ["policy.yaml", "policy.next.yaml"]) {
    copyFileSync(repo(`examples/ten-minutes/${name}`), join(cwd, name));
  }
});
afterAll(async () => {
  await plane.close();
  rmSync(cwd, { recursive: true, force: true });
});

const env = (): Record<string, string> => ({ XDG_CONFIG_HOME: join(cwd, "config") });
const run = (...args: string[]): Promise<Ended> => d2(args, { cwd, env: env() });

// In order: each step stands on what the ones before have done.
describe("the cloud commands", () => {
  it("say how to log in where nobody is", async () => {
    const { code, stderr } = await run("whoami");
    expect(code).toBe(2);
    expect(stderr).toContain("`d2 login` keeps a token");
  });

  it("refuse a token that is not valid, without repeating it", async () => {
    const wrong = `d2d_${"x".repeat(43)}`;
    const { code, stderr } = await d2(["login", "--api-url", plane.url], { cwd, env: env(), input: wrong });
    expect(code).toBe(2);
    expect(stderr).toContain("the token is not valid");
    expect(stderr).not.toContain(wrong);
  });

  it("keep a token for this user alone, once it was tried", async () => {
    const args = ["login", "--api-url", plane.url];
    const { code, stdout } = await d2(args, { cwd, env: env(), input: `${plane.tokens.developer}\n` });
    expect(code).toBe(0);
    expect(stdout).toContain(`with a developer token`);
    expect(stdout).not.toContain(plane.tokens.developer);
    expect(statSync(join(cwd, "config/d2/credentials.json")).mode & 0o777).toBe(0o600);
    expect((await run("whoami")).stdout).toMatch(/may +policy\.read, policy\.write, metrics\.read/);
  });

  it("send the kept token to no other control plane", async () => {
    const { code, stderr } = await run("whoami", "--api-url", "http://127.0.0.1:9");
    expect(code).toBe(2);
    expect(stderr).toContain("is for another control plane");
  });

  it("rehearse a publication, and publish nothing then", async () => {
    const { code, stdout } = await run("publish", "policy.yaml", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toContain("nothing is live for `shop`");
    expect((await run("status")).stdout).toContain("nothing was published yet");
  });

  it("ask before publishing, and do not where nobody can answer", async () => {
    const { code, stderr } = await run("publish", "policy.yaml");
    expect(code).toBe(2);
    expect(stderr).toContain("there is nobody to ask");
  });

  it("never publish what is not valid, whatever is forced", async () => {
    writeFileSync(
      join(cwd, "faulty.yaml"),
      readFileSync(join(cwd, "policy.yaml"), "utf8").replace("min: 1", "minimum: 1"),
    );
    const { code, stdout } = await run("publish", "faulty.yaml", "--force");
    expect(code).toBe(1);
    expect(stdout).toContain("help: write `min`");
    expect((await run("status")).stdout).toContain("nothing was published yet");
  });

  it("publish with a key of this device, which is made and registered", async () => {
    const { code, stdout } = await run("publish", "policy.yaml", "--force");
    expect(stdout).toContain("version 1 of `shop` is live");
    expect(code).toBe(0);
    expect(statSync(join(cwd, "config/d2/keys/id_ed25519")).size).toBe(32);
    expect(statSync(join(cwd, "config/d2/keys/id_ed25519")).mode & 0o777).toBe(0o600);
    expect((await run("keys")).stdout).toMatch(/^ed_[0-9a-f]{12} .* may publish +this device$/m);
    expect((await run("status")).stdout).toMatch(/version 1 is live[\s\S]*signature +verified/);
  });

  it("publish from standard input what was read there once", async () => {
    const input = readFileSync(join(cwd, "policy.yaml"), "utf8").replace("max: 50 }", "max: 49 }");
    const rehearsed = await d2(["publish", "-", "--dry-run"], { cwd, env: env(), input });
    expect(rehearsed.stdout).toContain("must be at most 49, before at most 50");
    const other = input.replace("name: shop", "name: piped");
    const { code, stdout } = await d2(["publish", "-", "--force"], { cwd, env: env(), input: other });
    expect(stdout).toContain("version 1 of `piped` is live");
    expect(code).toBe(0);
    expect((await run("status")).stderr).toContain("there are `piped`, `shop`");
    expect((await run("switch", "shop")).code).toBe(0);
  });

  it("show what the next version means before it goes live", async () => {
    const rehearsed = await run("publish", "policy.next.yaml", "--dry-run", "--json");
    const { diff, published } = JSON.parse(rehearsed.stdout);
    expect(published).toBeNull();
    expect(diff).toMatchObject({ loosened: true, mayLoosen: true });
    expect((await run("publish", "policy.next.yaml", "--force")).stdout).toContain(
      "version 2 of `shop` is live",
    );
  });

  it("fetch what is live, verified, and overwrite nothing", async () => {
    const { code, stdout } = await run("pull", "--output", "pulled.yaml");
    expect(stdout).toBe("wrote pulled.yaml: version 2 of `shop`, its signature holds\n");
    expect(code).toBe(0);
    expect((await run("diff", "pulled.yaml", "policy.next.yaml", "--fail-on", "any")).code).toBe(0);
    const again = await run("pull", "--output", "pulled.yaml");
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("is there already");
    expect(JSON.parse((await run("pull", "--format", "json")).stdout)).toHaveProperty("policies");
  });

  it("say in words what is live", async () => {
    const { code, stdout } = await run("inspect", "--published");
    expect(code).toBe(0);
    expect(stdout).toContain("and `amount` is from 1 to 500");
  });

  it("keep drafts, also faulty ones, as they were written", async () => {
    const faulty = await run("draft", "faulty.yaml");
    expect(faulty.code).toBe(1);
    expect(faulty.stdout).toContain("error[unknown_operator] 20:39");
    expect((await run("draft", "policy.yaml", "--version", "2")).code).toBe(0);
    expect((await run("pull", "--stage", "draft")).stdout).toBe(
      readFileSync(join(cwd, "policy.yaml"), "utf8"),
    );
  });

  it("go back to an older version as a new one", async () => {
    expect((await run("rollback", "1", "--force")).stdout).toContain(
      "version 3 is live: the content of version 1",
    );
    expect((await run("versions")).stdout).toMatch(/^3 .*live, as version 1\n2 .*\n1 /m);
    expect((await run("rollback", "9", "--force")).code).toBe(2);
  });

  it("revoke, and bring back by publishing", async () => {
    expect((await run("revoke", "--force")).code).toBe(0);
    expect((await run("status")).stdout).toContain("everything is denied until a newer version");
    expect((await run("pull")).stderr).toContain("or it is revoked");
    expect((await run("publish", "policy.yaml", "--force")).stdout).toContain("version 4 of `shop` is live");
  });

  it("list events, and choose the app", async () => {
    expect((await run("events")).stdout).toBe("no events\n");
    expect((await run("switch", "shop")).code).toBe(0);
    expect((await run("switch", "shap")).stderr).toContain("has no app `shap`");
  });

  it("follow events as they come in, an event a line, until they are told to end", async () => {
    const child = spawn(process.execPath, [PROGRAM, "events", "--follow", "--json", "--result", "denied"], {
      cwd,
      env: { ...process.env, ...env() },
    });
    let printed = "";
    const line = new Promise<string>((resolve) => {
      child.stdout.on("data", (part: Buffer) => {
        printed += part.toString();
        if (printed.includes("\n")) resolve(printed);
      });
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const event = (result: string) => ({
      event_type: "authz_decision",
      payload: { tool_id: "mail.send", result, reason: "rbac_denied", user_id: "ann" },
      occurred_at: new Date().toISOString(),
    });
    const { status } = await fetch(`${plane.url}/v1/events/ingest`, {
      method: "POST",
      headers: { authorization: `Bearer ${plane.tokens.runtime}`, "content-type": "application/json" },
      body: JSON.stringify({ events: [event("allowed"), event("denied")] }),
    });
    expect(status).toBe(202);
    expect(JSON.parse(await line)).toMatchObject({ payload: { user_id: "ann", result: "denied" } });
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect((await run("events", "--tool", "mail.send")).stdout).toMatch(
      /authz_decision +mail\.send +ann +denied +rbac_denied/,
    );
  });

  it("say what a publication would have changed in a decision log", async () => {
    const instance = "cloud-commands";
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const decisionLog = { path: join(cwd, "audit.jsonl"), level: "full" as const };
    await configureRbac({ policyFile: join(cwd, "policy.yaml"), instance, logger: silent, decisionLog });
    const search = d2Guard("orders.search", { instance }, ({ limit }: { limit: number }) => limit);
    runAs("bot", { roles: ["assistant"] }, () => [10, 30, 40].map((limit) => search({ limit })));
    await shutdownRbac(instance);
    const rehearsed = await run("publish", "policy.next.yaml", "--dry-run", "--log", "audit.jsonl");
    expect(rehearsed.stdout).toContain("2 from allow to deny");
    expect(rehearsed.stdout).toContain("ok -> input_validation");
    expect(rehearsed.code).toBe(0);
  });

  it("let `D2_TOKEN` win over the kept token", async () => {
    const { stdout } = await d2(["whoami"], {
      cwd,
      env: { ...env(), D2_TOKEN: plane.tokens.runtime, D2_API_URL: plane.url },
    });
    expect(stdout).toMatch(/token +runtime, from D2_TOKEN/);
    expect(stdout).toMatch(/app +shop/);
  });

  it("say that the server is not there", async () => {
    const gone = { ...env(), D2_TOKEN: plane.tokens.developer, D2_API_URL: "http://127.0.0.1:9" };
    const { code, stderr } = await d2(["status", "--app-name", "shop"], { cwd, env: gone });
    expect(code).toBe(2);
    expect(stderr).toContain("no answer from http://127.0.0.1:9");
  });

  it("forget the token", async () => {
    expect((await run("logout")).stdout).toBe("the token is forgotten\n");
    expect((await run("whoami")).code).toBe(2);
  });
});
