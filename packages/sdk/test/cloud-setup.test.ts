import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { ConfigurationError, InvalidSignatureError } from "d2-core/call";
import { verifyLog } from "d2-policy/log";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type CloudOptions, readCloudSettings } from "../src/cloud/cloud-settings.js";
import { runAs } from "../src/context/user.js";
import { d2Guard } from "../src/guard/d2-guard.js";
import {
  configureRbac,
  configureRbacSync,
  getPolicyManager,
  shutdownAllRbac,
} from "../src/setup/configure.js";
import { loadEngine } from "../src/setup/policy-engine.js";
import type { RbacOptions } from "../src/setup/settings.js";
import { FakeControlPlane, signingPair, status, TOKEN } from "./fake-control-plane.js";
import { LogBook, PolicyFolder, policyText } from "./policy-folder.js";

beforeEach(async () => {
  for (const name of ["D2_TOKEN", "D2_API_URL", "D2_JWKS_URL", "D2_ALLOW_HTTP", "D2_POLICY_FILE"]) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("D2_STATE_PATH", ":memory:");
  await loadEngine();
});
afterEach(async () => {
  await shutdownAllRbac();
  vi.unstubAllEnvs();
});

const settingsOf = (options: CloudOptions, environment: Record<string, string> = {}) =>
  readCloudSettings({ token: TOKEN, ...options }, { HOME: "/home/app", ...environment });

describe("a set-up with a token", () => {
  it("guards by the control plane's policy, and stops when it is revoked", async () => {
    const plane = await FakeControlPlane.start();
    plane.extra = { "x-d2-poll-seconds": "1" };
    const logger = new LogBook();
    vi.stubEnv("D2_TOKEN", TOKEN);
    const manager = await configureRbac({ apiUrl: plane.url, logger });
    const read = d2Guard("read", () => "read");
    const call = () => runAs("alice", { roles: ["reader"] }, () => read());
    expect(call()).toBe("read");
    expect(logger.of("info")).toEqual([
      expect.stringContaining(`the policy "first" (${manager.policy.version}) from the control plane`),
    ]);
    plane.bundle = status(410);
    await manager.reload().catch(() => undefined);
    expect(call).toThrow(/policy_unavailable/);
  });

  it("records a call after the revocation as one without a policy, in a log that holds", async () => {
    const plane = await FakeControlPlane.start();
    const log = new PolicyFolder().at("calls.jsonl");
    const options = { token: TOKEN, apiUrl: plane.url, logger: new LogBook(), decisionLog: log };
    const manager = await configureRbac(options);
    const read = d2Guard("read", () => "read");
    const call = () => runAs("alice", { roles: ["reader"] }, () => read());
    call();
    plane.bundle = status(410);
    await manager.reload().catch(() => undefined);
    expect(call).toThrow(/policy_unavailable/);
    await shutdownAllRbac();
    const text = readFileSync(log, "utf8");
    expect(await verifyLog([text])).toMatchObject({ ok: true, counts: { calls: 2 } });
    const none = text.split("\n").filter((line) => line.includes('"d2.none"'));
    expect(none).toEqual([
      expect.stringContaining('"policy_state":"unavailable"'),
      expect.stringContaining('"reason_code":"policy_unavailable"'),
    ]);
  });

  it("does not throw when the control plane is not there: calls are denied", async () => {
    const plane = await FakeControlPlane.start();
    await plane.stop();
    const logger = new LogBook();
    await configureRbac({ token: TOKEN, apiUrl: plane.url, logger });
    const read = d2Guard("read", () => "read");
    expect(() => runAs("alice", { roles: ["reader"] }, () => read())).toThrow(/policy_unavailable/);
    expect(logger.lines.map(({ level }) => level)).toEqual(["warn"]);
    expect(getPolicyManager().plan).toBeUndefined();
  });

  it("throws what somebody must mend", async () => {
    const plane = await FakeControlPlane.start();
    plane.bundle = status(401);
    const options = { token: TOKEN, apiUrl: plane.url, logger: new LogBook() };
    await expect(configureRbac(options)).rejects.toBeInstanceOf(ConfigurationError);
    plane.bundle = undefined;
    plane.listed = [(await signingPair("k1")).jwk];
    await expect(configureRbac(options)).rejects.toBeInstanceOf(InvalidSignatureError);
    plane.listed = [plane.pair.jwk];
    plane.claims = { policies: [{ rol: "reader" }] };
    await expect(configureRbac(options)).rejects.toThrow(/has .*fault/);
    expect(() => getPolicyManager()).toThrow(ConfigurationError);
  });

  it("of the environment gives way to a policy of the program's own, with a warning", async () => {
    vi.stubEnv("D2_TOKEN", TOKEN);
    const logger = new LogBook();
    await configureRbac({ policy: policyText("own"), logger });
    expect(getPolicyManager().policy.name).toBe("own");
    expect(logger.of("warn")).toEqual([
      "`D2_TOKEN` is set and not used: the policy is the one that `policy` gives",
    ]);
  });

  it("of the environment goes before a policy file of the environment's", async () => {
    const plane = await FakeControlPlane.start();
    vi.stubEnv("D2_TOKEN", TOKEN);
    vi.stubEnv("D2_API_URL", plane.url);
    vi.stubEnv("D2_POLICY_FILE", new PolicyFolder().write("policy.yaml", policyText("file")));
    await configureRbac({ logger: new LogBook() });
    expect(getPolicyManager().policy.name).toBe("first");
  });

  it("and a policy, both as options, is refused", async () => {
    for (const rival of [{ policy: policyText("own") }, { policyFile: "policy.yaml" }]) {
      await expect(configureRbac({ token: TOKEN, ...rival })).rejects.toThrow(/exclude each other/);
    }
  });
});

describe("the options of a control plane", () => {
  it("default to the public one, and its key list", () => {
    expect(settingsOf({})).toMatchObject({
      apiUrl: "https://d2.artoo.love",
      jwksUrl: "https://d2.artoo.love/.well-known/jwks.json",
      jwksSeesToken: true,
      statePath: "/home/app/.config/d2/bundles.json",
    });
  });

  it("override the environment, which overrides that", () => {
    const environment = { D2_API_URL: "https://a.example/base/", D2_JWKS_URL: "https://b.example/keys" };
    expect(settingsOf({}, environment)).toMatchObject({
      apiUrl: "https://a.example/base",
      jwksUrl: "https://b.example/keys",
      jwksSeesToken: false,
    });
    const options = { apiUrl: new URL("https://c.example"), jwksUrl: "https://c.example/k" };
    expect(settingsOf(options, environment)).toMatchObject({
      apiUrl: "https://c.example",
      jwksSeesToken: true,
    });
    expect(readCloudSettings({}, { D2_TOKEN: "from-environment" })?.token).toBe("from-environment");
    expect(readCloudSettings({}, environment)).toBeUndefined();
  });

  it.each([
    "http://127.0.0.1:8080",
    "http://127.9.9.9",
    "http://localhost:1",
    "http://[::1]:1",
    "https://d2.example",
  ])("take %s", (apiUrl) => {
    expect(settingsOf({ apiUrl })?.apiUrl).toBe(apiUrl);
  });

  it.each([
    "http://d2.example",
    "http://127.0.0.1.example",
    "http://localhost.example",
    "ftp://127.0.0.1",
    "file:///etc/keys",
    "d2.example",
    "",
    "https://user:password@d2.example",
    "https://d2.example/?a=b",
    "https://d2.example/#a",
  ])("refuse %j", (url) => {
    expect(() => settingsOf({ apiUrl: url })).toThrow(ConfigurationError);
    expect(() => settingsOf({ jwksUrl: url })).toThrow(ConfigurationError);
  });

  it("take http elsewhere only where that is switched on", () => {
    const apiUrl = "http://control-plane:8080";
    expect(settingsOf({ apiUrl }, { D2_ALLOW_HTTP: "1" })?.apiUrl).toBe(apiUrl);
    expect(() => settingsOf({ apiUrl }, { D2_ALLOW_HTTP: "0" })).toThrow(/must be an https URL/);
  });

  it.each(["", " ", "a b", "a\r\nx: y", "ä", 7])("refuse the token %j, and do not show it", (token) => {
    // A cast, because the types refuse some of these already.
    expect(() => settingsOf({ token } as CloudOptions)).toThrow(
      "`token` is no token: give it as the control plane has shown it",
    );
  });

  it.each([[[]], [["short"]], ["A".repeat(43)], [[`${"A".repeat(42)}=`]]])("refuse the pins %j", (pins) => {
    expect(() => settingsOf({ pinJwksThumbprints: pins } as CloudOptions)).toThrow(ConfigurationError);
  });

  it.each([
    { apiUrl: "https://d2.example" },
    { jwksUrl: "https://d2.example/k" },
    { pinJwksThumbprints: [] },
  ])("say nothing without a token: %j", async (options) => {
    await expect(configureRbac({ policy: policyText("own"), ...options } as RbacOptions)).rejects.toThrow(
      /give a `token` too/,
    );
  });

  it("keep the state where the environment says", () => {
    expect(settingsOf({}, { D2_STATE_PATH: "/var/d2/state.json" })?.statePath).toBe("/var/d2/state.json");
    expect(settingsOf({}, { D2_STATE_PATH: ":memory:" })?.statePath).toBeUndefined();
    expect(settingsOf({}, { XDG_CONFIG_HOME: "/etc/xdg" })?.statePath).toBe("/etc/xdg/d2/bundles.json");
  });
});

/** A control plane in a process of its own: the blocking set-up stands still until it answers. */
async function elsewhere(
  answers: readonly (readonly [number, object])[],
  keys: readonly unknown[],
): Promise<string> {
  const program = `
    const answers = ${JSON.stringify(answers)};
    require("node:http").createServer((request, response) => {
      if (request.url.endsWith("jwks.json")) return response.end(${JSON.stringify(JSON.stringify({ keys }))});
      const [code, body] = answers.length > 1 ? answers.shift() : answers[0];
      response.writeHead(code, { etag: '"1"' }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1", function () { console.log(this.address().port); });`;
  const child: ChildProcess = spawn(process.execPath, ["-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const [port] = child.stdout === null ? [] : await once(child.stdout, "data");
  return `http://127.0.0.1:${String(port).trim()}`;
}

describe("the blocking set-up", () => {
  const signed = async (pair: Awaited<ReturnType<typeof signingPair>>) => {
    const plane = await FakeControlPlane.start(pair);
    return { jws: await plane.sign(), version: 1 };
  };

  it.each(["RS256", "EdDSA"] as const)(
    "has the policy in force when it returns, signed with %s",
    async (alg) => {
      const pair = await signingPair("k1", alg);
      const apiUrl = await elsewhere([[200, await signed(pair)]], [pair.jwk]);
      const { policy } = configureRbacSync({ token: TOKEN, apiUrl, logger: new LogBook() });
      expect(policy).toMatchObject({ name: "first", bundle: { version: 1 } });
    },
  );

  it("tries a second time after a fault of the server's", async () => {
    const pair = await signingPair("k1");
    const apiUrl = await elsewhere(
      [
        [503, {}],
        [200, await signed(pair)],
      ],
      [pair.jwk],
    );
    expect(configureRbacSync({ token: TOKEN, apiUrl, logger: new LogBook() }).policy.name).toBe("first");
  });

  it("throws what the other throws", async () => {
    const pair = await signingPair("k1");
    const forged = await elsewhere([[200, await signed(await signingPair("k1"))]], [pair.jwk]);
    const options = { token: TOKEN, logger: new LogBook() };
    expect(() => configureRbacSync({ ...options, apiUrl: forged })).toThrow(InvalidSignatureError);
    const refusing = await elsewhere([[401, {}]], []);
    expect(() => configureRbacSync({ ...options, apiUrl: refusing })).toThrow(/does not know the token/);
  });

  it("denies calls when the control plane is not there", async () => {
    const plane = await FakeControlPlane.start();
    await plane.stop();
    const logger = new LogBook();
    const { plan } = configureRbacSync({ token: TOKEN, apiUrl: plane.url, logger });
    expect(plan).toBeUndefined();
    expect(logger.of("warn")).toEqual([expect.stringMatching(/ECONNREFUSED/)]);
  });

  it("keeps the bundle for the next start", async () => {
    const folder = new PolicyFolder();
    vi.stubEnv("D2_STATE_PATH", folder.at("bundles.json"));
    const pair = await signingPair("k1");
    const apiUrl = await elsewhere([[200, await signed(pair)]], [pair.jwk]);
    configureRbacSync({ token: TOKEN, apiUrl, logger: new LogBook() });
    expect(readdirSync(folder.path)).toEqual(["bundles.json"]);
  });
});
