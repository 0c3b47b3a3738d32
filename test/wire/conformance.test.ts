import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { APP, controlPlane } from "../../packages/server/test/control-plane.js";
import { runWireCases } from "../../scripts/wire-conformance.mjs";
import { alteringProxy, type PassingAnswer, type PassingRequest } from "./altering-proxy.js";

const PROGRAM = fileURLToPath(new URL("../../scripts/wire-conformance.mjs", import.meta.url));

async function target(signingAlgorithm: "EdDSA" | "RS256" = "EdDSA") {
  const server = await controlPlane({ signingAlgorithm }, { clock: Date.now });
  const { runtime, developer, admin, url } = server;
  return { server, url, tokens: { runtime, developer, admin } };
}

/** The ids of the cases that fail where answers are changed on their way. */
async function failuresWhere(
  alter: (answer: PassingAnswer, request: PassingRequest) => void,
): Promise<string[]> {
  const { url, tokens } = await target();
  const outcomes = await runWireCases({ url: await alteringProxy(url, alter), tokens });
  return outcomes.filter(({ outcome }) => outcome === "failed").map(({ id }) => id);
}

describe("the conformance list", () => {
  it.each(["EdDSA", "RS256"] as const)(
    "passes against our server (%s), and leaves other apps alone",
    async (algorithm) => {
      const { server, url, tokens } = await target(algorithm);
      const { storage } = server.services;
      const before = await storage.app("acc_aaaaaaaaaaaaaaaaaaaa", APP);
      const outcomes = await runWireCases({ url, tokens });
      expect(outcomes.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
      expect(await storage.app("acc_aaaaaaaaaaaaaaaaaaaa", APP)).toEqual(before);
      const apps = await storage.apps("acc_aaaaaaaaaaaaaaaaaaaa");
      expect(apps.filter(({ name }) => name.startsWith("conformance-"))).toMatchObject([
        { revokedAt: expect.any(Number) },
      ]);
      const tokensLeft = await storage.tokens("acc_aaaaaaaaaaaaaaaaaaaa");
      expect(tokensLeft.filter(({ name, revokedAt }) => name !== "" && revokedAt === null)).toEqual([]);
    },
  );

  it("passes a second time against the same server", async () => {
    const { url, tokens } = await target();
    await runWireCases({ url, tokens });
    const outcomes = await runWireCases({ url, tokens });
    expect(outcomes.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  });

  it("passes where only the sections of the public client are asked for", async () => {
    const { url, tokens } = await target();
    const sections = ["1", "2", "3", "4", "5"];
    const outcomes = await runWireCases({ url, tokens, sections });
    expect(outcomes.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  });
});

describe("the conformance list notices", () => {
  it("a bundle whose signature does not hold", async () => {
    const failures = await failuresWhere((answer) => {
      if (!answer.body.startsWith('{"jws"')) return;
      const body = JSON.parse(answer.body);
      const [header, payload, signature = ""] = body.jws.split(".");
      const other = signature.startsWith("A") ? "B" : "A";
      answer.body = JSON.stringify({ ...body, jws: [header, payload, other + signature.slice(1)].join(".") });
    });
    expect(failures).toContain("bundle");
  });

  it("a bundle that is sent again to those who have it", async () => {
    let whole: PassingAnswer | undefined;
    const failures = await failuresWhere((answer, { path }) => {
      if (!path.startsWith("/v1/policy/bundle")) return;
      if (answer.status === 200) whole = { ...answer };
      if (answer.status !== 304 || whole === undefined) return;
      answer.status = 200;
      answer.body = whole.body;
      answer.headers.set("content-type", "application/json");
    });
    expect(failures).toEqual(expect.arrayContaining(["bundle-unchanged", "bundle-tags", "bundle-runtime"]));
  });

  it("headers that are missing, or that should not be there", async () => {
    const failures = await failuresWhere(({ headers }) => {
      headers.delete("x-d2-poll-seconds");
      headers.set("access-control-allow-origin", "*");
    });
    expect(failures).toEqual(["security-headers", "bundle", "revoke"]);
  });

  it("a revocation that is not told", async () => {
    const failures = await failuresWhere((answer) => {
      if (answer.status === 410) answer.status = 404;
    });
    expect(failures).toEqual(["revoke", "revoke-runtime"]);
  });

  it("errors that are no problem documents", async () => {
    const failures = await failuresWhere((answer) => {
      if (answer.status >= 400) answer.headers.set("content-type", "application/json");
    });
    expect(failures).toEqual(expect.arrayContaining(["auth-problem", "not-found", "publish-invalid"]));
    expect(failures).not.toContain("publish");
  });

  it("tokens that go on working once they are revoked", async () => {
    const failures = await failuresWhere((answer, { method, path }) => {
      if (method === "DELETE" && path.startsWith("/v1/tokens/")) answer.status = 200;
    });
    expect(failures).toEqual(["tokens", "leave-token"]);
  });
});

describe("the runner", () => {
  const expectation = { status: [200, 201, 204, 404, 409] };

  it.each([
    ["POST", "/v1/policy/revoke", { query: { app_name: "shop" } }],
    ["POST", "/v1/policy/publish", { query: { app_name: "shop" }, text: "a: 1" }],
    ["POST", "/v1/policy/revoke?app_name=shop", {}],
    ["PUT", "/v1/policy/draft", { json: { bundle: { metadata: { name: "shop" } } } }],
    ["POST", "/v1/apps", { json: { name: "other" } }],
    ["POST", "/v1/signing-keys/rotate", { json: {}, token: "admin" }],
    ["DELETE", "/v1/tokens/tok_aaaaaaaaaaaaaaaaaaaa", {}],
  ])("sends nothing that could change what was there before: %s %s %j", async (method, path, more) => {
    const { server, url, tokens } = await target();
    const request = { method, path, token: "developer", ...more };
    const steps = [{ request, expect: expectation }];
    const [outcome] = await runWireCases({
      url,
      tokens,
      cases: [{ id: "bad", section: "9", name: "a bad case", steps }],
    });
    expect(outcome).toMatchObject({ outcome: "failed", reasons: [expect.stringContaining("the list may")] });
    expect(server.lines.filter((line) => line.includes('"request"'))).toEqual([]);
  });

  it("skips what comes from a case that failed, and tells no token", async () => {
    const { url, tokens } = await target();
    const me = { method: "GET", path: "/v1/accounts/me", token: "developer" };
    const wrong = { status: 200, body: { token: { kind: tokens.developer } } };
    const outcomes = await runWireCases({
      url,
      tokens,
      cases: [
        {
          id: "a",
          section: "9",
          name: "brings a thing",
          steps: [{ request: me, expect: wrong, save: { thing: "body:plan" } }],
        },
        {
          id: "b",
          section: "9",
          name: "needs it",
          steps: [{ request: { ...me, query: { it: "{{thing}}" } }, expect: { status: 200 } }],
        },
      ],
    });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["failed", "skipped"]);
    expect(JSON.stringify(outcomes)).not.toContain(tokens.developer);
    expect(outcomes[0]?.reasons[0]).toContain("(token)");
  });

  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [PROGRAM, ...args]).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: "" }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );

  it("prints a line for each case and the count last, and skips what needs another token", async () => {
    const { url, tokens } = await target();
    const { code, stdout } = await run(url, tokens.developer);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.at(-1)).toMatch(/^\d+ passed, 0 failed, [1-9]\d* skipped$/);
    expect(lines).toContain("skip  tokens-refused: kind, app and scopes of a token must go together");
    expect(lines).toContain("        needs a token: admin");
    expect(code).toBe(0);
    expect(stdout).not.toContain(tokens.developer);
  });

  it("ends with 1 when a case fails, and with 2 when it is called wrongly", async () => {
    const { url } = await target();
    const stranger = await run(url, "d2d_nobody", "--only", "me-developer");
    expect([stranger.code, stranger.stdout.split("\n").at(-2)]).toEqual([1, "0 passed, 1 failed, 0 skipped"]);
    const calls = [[url], ["nonsense", "token"], [url, "a", "--more"]];
    for (const { code, stderr } of await Promise.all(calls.map((args) => run(...args)))) {
      expect([code, stderr]).toEqual([2, expect.stringContaining("usage: npm run wire-conformance")]);
    }
  });
});
