import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { type ControlPlane, controlPlane } from "../../packages/server/test/control-plane.js";
import { ACCOUNT } from "../../packages/server/test/running-server.js";

const ME = "/v1/accounts/me";

/** A token of the right form that nobody was given. */
const guess = (letter = "a") => `d2${letter}_${randomBytes(32).toString("base64url")}`;

/** Status of an answer to a request from another address of this machine. */
function from(server: ControlPlane, localAddress: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${ME}`, {
      localAddress,
      agent: false,
      headers: { Authorization: `Bearer ${token}` },
    });
    sent.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("who guesses tokens", () => {
  it("has so many tries from an address, whichever kind, form, route and method they are for", async () => {
    let now = 0;
    const server = await controlPlane({ failedAuthentications: 6 }, { monotonic: () => now });
    const tries: [string, string, string][] = [
      ["GET", ME, guess("r")],
      ["GET", "/v1/policy/bundle", guess("d")],
      ["POST", "/v1/tokens", guess("a")],
      [
        "DELETE",
        "/v1/keys/ed_000000000000",
        `${server.admin.slice(0, -1)}${server.admin.endsWith("A") ? "E" : "A"}`,
      ],
      ["PUT", "/v1/policy/draft", "nonsense"],
      ["POST", "/v1/events/ingest", `${server.runtime}x`],
      ["GET", ME, guess()],
      ["GET", "/v1/signing-keys", guess()],
    ];
    const statuses: number[] = [];
    for (const [method, path, token] of tries) {
      statuses.push((await server.call(method, path, { token })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
    // A new try each ten seconds, as the limit is six a minute.
    now += 10_000;
    expect((await server.call("GET", ME, { token: guess() })).status).toBe(401);
    expect((await server.call("GET", ME, { token: guess() })).status).toBe(429);
  });

  it("is told when to come again, and the same for a token that exists as for one that does not", async () => {
    const server = await controlPlane({ failedAuthentications: 1 }, { monotonic: () => 0 });
    await server.call("GET", ME, { token: guess() });
    const [real, none] = [
      await server.call("GET", ME, { token: server.admin }),
      await server.call("GET", ME, { token: guess() }),
    ];
    for (const reply of [real, none]) {
      expect(reply.status).toBe(429);
      expect(reply.headers.get("retry-after")).toBe("60");
    }
    expect({ ...real.json, request_id: "" }).toEqual({ ...none.json, request_id: "" });
  });

  it("does not become another one by saying so", async () => {
    const server = await controlPlane({ failedAuthentications: 2 }, { monotonic: () => 0 });
    const statuses: number[] = [];
    for (let at = 1; at <= 4; at++) {
      const headers = {
        "X-Forwarded-For": `10.0.0.${at}`,
        "X-Real-IP": `10.0.0.${at}`,
        Forwarded: `for=10.0.0.${at}`,
        "CF-Connecting-IP": `10.0.0.${at}`,
        "User-Agent": `client ${at}`,
      };
      statuses.push((await server.call("GET", ME, { token: guess(), headers })).status);
    }
    expect(statuses).toEqual([401, 401, 429, 429]);
  });

  // Only there has the loopback network more than one address without further ado.
  it.runIf(process.platform === "linux")(
    "locks nobody else out: other addresses, and tokens that are in use",
    async () => {
      const server = await controlPlane({ failedAuthentications: 1 }, { monotonic: () => 0 });
      expect((await server.call("GET", ME, { token: server.runtime })).status).toBe(200);
      await server.call("GET", ME, { token: guess() });
      expect((await server.call("GET", ME, { token: guess() })).status).toBe(429);
      expect((await server.call("GET", ME, { token: server.runtime })).status).toBe(200);
      expect(await from(server, "127.0.0.2", guess())).toBe(401);
      expect(await from(server, "127.0.0.3", server.developer)).toBe(200);
    },
  );

  it("learns nothing of how near a guess was", async () => {
    const server = await controlPlane();
    const near = `${server.admin.slice(0, -4)}AAAA`;
    const answers = [];
    for (const token of [near, guess(), guess("d"), "d2a_short", server.admin.toUpperCase(), "x"]) {
      const { status, json, headers } = await server.call("GET", ME, { token });
      answers.push({ status, ...json, request_id: "", challenge: headers.get("www-authenticate") });
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it("makes the database look up a digest only, and nothing that is no token", async () => {
    const server = await controlPlane();
    const { storage } = server.services;
    const asked: string[] = [];
    const read = storage.tokenByDigest;
    Object.assign(storage, {
      tokenByDigest: (digest: string) => {
        asked.push(digest);
        return read(digest);
      },
    });
    const token = guess();
    for (const it of [token, "nonsense", "d2a_' or 1=1 --", `${token} ${token}`]) {
      await server.call("GET", ME, { token: it });
    }
    expect(asked).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});

describe("a token", () => {
  it("is repeated by no answer and no line of the log, wherever it was put", async () => {
    const server = await controlPlane({ logLevel: "trace" });
    const tokens = [server.runtime, server.developer, server.admin, guess("r"), guess("d"), guess("a")];
    const answers: string[] = [];
    for (const token of tokens) {
      const calls = [
        server.call("GET", ME, { token }),
        server.call("GET", ME, { headers: { Authorization: `Basic ${btoa(`x:${token}`)}` } }),
        server.call("GET", ME, {
          headers: { Authorization: `Token ${token}`, "X-Request-Id": `${token} x` },
        }),
        server.call("GET", `${ME}?token=${token}&access_token=${token}`),
        server.call("GET", `/v1/${token}`),
        server.call("GET", `/v1/policy/versions/${token}`, { token }),
        server.call("GET", `/v1/policy/bundle?stage=${token}&app_name=${token}`, { token }),
        server.call("DELETE", `/v1/tokens/${token}`, { token }),
        server.call("DELETE", `/v1/keys/${token}`, { token }),
        server.call("POST", "/v1/tokens", { token, json: { kind: token, name: 1, scopes: [token] } }),
        server.call("POST", "/v1/keys", { token, json: { key_id: token, public_key: token } }),
        server.call("POST", "/v1/events/ingest", { token, json: { events: [{ event_type: `${token} x` }] } }),
        server.call("POST", "/v1/apps", {
          token,
          body: token,
          headers: { "Content-Type": "application/json" },
        }),
        server.call("GET", `/v1/events?cursor=${token}`, { token }),
      ];
      for (const { text, headers } of await Promise.all(calls)) {
        answers.push(text, JSON.stringify([...headers]));
      }
    }
    const all = answers.join("\n") + server.lines.join("\n");
    for (const token of tokens) expect(all).not.toContain(token.slice(4));
  });

  it("is shown when it is made, and its text is in no list, no log and no database", async () => {
    const server = await controlPlane({ logLevel: "trace" });
    const made = await server.call("POST", "/v1/tokens", {
      token: server.admin,
      json: { kind: "developer" },
    });
    const text: string = made.json.token;
    const list = await server.call("GET", "/v1/tokens", { token: server.admin });
    const stored = JSON.stringify(await server.services.storage.tokens(ACCOUNT));
    expect(list.text + server.lines.join("") + stored).not.toContain(text.slice(4));
    expect(list.text).not.toMatch(/[0-9a-f]{64}/);
  });

  it("in the query opens nothing", async () => {
    const server = await controlPlane();
    for (const name of ["token", "access_token", "authorization", "Authorization"]) {
      expect((await server.call("GET", `${ME}?${name}=${server.admin}`)).status).toBe(401);
    }
  });
});
