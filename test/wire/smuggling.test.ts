import { describe, expect, it } from "vitest";
import { controlPlane } from "../../packages/server/test/control-plane.js";
import { overSocket } from "../../packages/server/test/running-server.js";

/** Status of every answer in what was heard on one connection. */
function statuses(heard: string): number[] {
  return [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1]));
}

const bearer = (token: string) => `Authorization: Bearer ${token}`;

/** A request to the byte; the connection ends with it. */
function request(line: string, headers: readonly string[], body = ""): string {
  return [`${line} HTTP/1.1`, ...headers, "Connection: close", "", body].join("\r\n");
}

describe("what two readers could cut differently", () => {
  it.each([
    ["two lengths", ["Content-Length: 2", "Content-Length: 3"], "{}x"],
    ["a length and chunks", ["Content-Length: 4", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
    ["a negative length", ["Content-Length: -2"], "{}"],
    ["a length with a sign", ["Content-Length: +2"], "{}"],
    ["an unknown coding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n"],
    ["chunked, but not last", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"],
    ["a chunk of no length", ["Transfer-Encoding: chunked"], "zz\r\n{}\r\n0\r\n\r\n"],
    ["a folded line", ["X-Long: a", " b: c"], ""],
    ["a blank before the colon", ["X-Odd : a"], ""],
    ["NUL in a value", ["X-Odd: a\0b"], ""],
    ["a bare CR in a value", ["X-Odd: a\rX-Evil: 1"], ""],
  ])("is refused, and the connection ends: %s", async (_, headers, body) => {
    const { url, admin, services } = await controlPlane();
    const inner = request("POST /v1/apps", ["Host: a", bearer(admin)], "");
    const heard = await overSocket(
      url,
      request("POST /v1/apps", ["Host: a", bearer(admin), ...headers], `${body}${inner}`),
    );
    expect(statuses(heard)).toEqual([400]);
    expect(heard).toContain("request_invalid");
    expect(await services.storage.apps("acc_aaaaaaaaaaaaaaaaaaaa")).toHaveLength(1);
  });

  it("lines that end in LF only are no request", async () => {
    const { url, admin } = await controlPlane();
    const heard = await overSocket(url, `GET /v1/tokens HTTP/1.1\nHost: a\n${bearer(admin)}\n\n`);
    expect(statuses(heard)).toEqual([400]);
  });

  it("the body of a GET is no request of its own", async () => {
    const { url, admin } = await controlPlane();
    const inner = request("GET /v1/tokens", ["Host: a", bearer(admin)]);
    const heard = await overSocket(
      url,
      request("GET /v1/healthz", ["Host: a", `Content-Length: ${inner.length}`], inner),
    );
    expect(statuses(heard)).toEqual([200]);
    expect(heard).not.toContain('"tokens"');
  });

  it("neither is the body of a request that was refused before it was read", async () => {
    const { url, admin } = await controlPlane();
    const inner = request("GET /v1/tokens", ["Host: a", bearer(admin)]);
    for (const line of ["POST /v1/apps", "POST /v1/nothing", "DELETE /v1/healthz"]) {
      const heard = await overSocket(
        url,
        request(line, ["Host: a", `Content-Length: ${inner.length}`], inner),
      );
      expect(statuses(heard)).toHaveLength(1);
      expect(heard).not.toContain('"tokens"');
    }
  });

  it("a trailer is no header", async () => {
    const { url, admin } = await controlPlane();
    const body = `2\r\n{}\r\n0\r\n${bearer(admin)}\r\n\r\n`;
    const heard = await overSocket(
      url,
      request("POST /v1/tokens", ["Host: a", "Transfer-Encoding: chunked", "Trailer: Authorization"], body),
    );
    expect(statuses(heard)).toEqual([401]);
  });
});

describe("headers that are there twice", () => {
  it.each([
    ["Authorization", ["Host: a", "TOKEN r", "TOKEN a"]],
    ["Authorization, the other way round", ["Host: a", "TOKEN a", "TOKEN r"]],
    ["Authorization in another spelling", ["Host: a", "TOKEN a", "aUTHORIZATION: Bearer x"]],
    ["Host", ["Host: a", "Host: b", "TOKEN a"]],
    ["Content-Type", ["Host: a", "TOKEN a", "Content-Type: application/json", "Content-Type: text/plain"]],
  ])("are refused where only one can count: %s", async (_, headers) => {
    const { url, admin, runtime } = await controlPlane();
    const lines = headers.map((it) =>
      it.replace("TOKEN a", bearer(admin)).replace("TOKEN r", bearer(runtime)),
    );
    const heard = await overSocket(url, request("GET /v1/tokens", lines));
    expect(statuses(heard)).toEqual([400]);
    expect(heard).toContain("repeated_header");
  });

  it("make no valid signature, key or id of two", async () => {
    const { url, developer, uploader, services } = await controlPlane();
    const zero = Buffer.alloc(64).toString("base64");
    const heard = await overSocket(
      url,
      request("POST /v1/policy/publish?app_name=shop", [
        "Host: a",
        bearer(developer),
        `X-D2-Signature: ${zero}`,
        `X-D2-Signature: ${zero}`,
        `X-D2-Key-Id: ${uploader.keyId}`,
        "X-Request-Id: one",
        "X-Request-Id: two",
        "Content-Length: 0",
      ]),
    );
    expect(statuses(heard)).toEqual([400]);
    expect(heard).toContain("signature_malformed");
    expect(heard).not.toContain("one, two");
    expect((await services.storage.versions("app_aaaaaaaaaaaaaaaaaaaa", 10)).length).toBe(0);
  });

  it("count all, however many there are: none is left out", async () => {
    const { url, admin } = await controlPlane();
    const many = Array.from({ length: 3_000 }, () => "a:");
    const heard = await overSocket(url, request("GET /v1/accounts/me", ["Host: a", ...many, bearer(admin)]));
    expect(statuses(heard)).toEqual([200]);
    const more = Array.from({ length: 20_000 }, () => "a:");
    expect(statuses(await overSocket(url, request("GET /v1/accounts/me", ["Host: a", ...more])))).toEqual([
      431,
    ]);
    expect(statuses(await overSocket(url, request("GET /v1/healthz", ["Host: a"])))).toEqual([200]);
  });

  it("have no names that mean anything to objects", async () => {
    const { url, admin } = await controlPlane();
    const odd = ["__proto__: x", "constructor: y", "toString: z", "hasOwnProperty: q"];
    const heard = await overSocket(url, request("GET /v1/tokens", ["Host: a", ...odd, bearer(admin)]));
    expect(statuses(heard)).toEqual([200]);
    const stranger = await overSocket(url, request("GET /v1/tokens", ["Host: a", ...odd]));
    expect(statuses(stranger)).toEqual([401]);
  });
});

describe("the method", () => {
  it("is the one of the request line, whatever headers and query say", async () => {
    const { url, admin, developer, services } = await controlPlane();
    for (const header of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"]) {
      for (const method of ["POST", "DELETE", "PUT"]) {
        const heard = await overSocket(
          url,
          request(`GET /v1/apps?_method=${method}&name=more`, [
            "Host: a",
            bearer(admin),
            `${header}: ${method}`,
          ]),
        );
        expect([header, statuses(heard), heard.includes('"apps"')]).toEqual([header, [200], true]);
      }
    }
    const revoked = await overSocket(
      url,
      request("GET /v1/policy/revoke?app_name=shop", [
        "Host: a",
        bearer(developer),
        "X-HTTP-Method-Override: POST",
      ]),
    );
    expect(statuses(revoked)).toEqual([405]);
    expect(await services.storage.apps("acc_aaaaaaaaaaaaaaaaaaaa")).toHaveLength(1);
  });

  it.each(["OPTIONS", "TRACE", "PROPFIND", "PATCH", "QUERY"])(
    "%s is answered 405 and repeats nothing",
    async (method) => {
      const { url, admin } = await controlPlane();
      const heard = await overSocket(url, request(`${method} /v1/tokens`, ["Host: a", bearer(admin)]));
      expect(statuses(heard)).toEqual([405]);
      expect(heard).not.toContain(admin);
    },
  );

  it("CONNECT and upgrades open nothing", async () => {
    const { url, runtime } = await controlPlane();
    expect(await overSocket(url, request("CONNECT 127.0.0.1:22", ["Host: a"]))).toBe("");
    const upgrade = ["Host: a", bearer(runtime), "Upgrade: websocket", "Connection: Upgrade"];
    expect(statuses(await overSocket(url, request("GET /v1/tokens", upgrade)))).toEqual([403]);
  });
});

/** Spellings of `/v1/tokens`, some of which a proxy in front would not know again. */
const SPELLINGS = [
  "/v1/../v1/tokens",
  "/v1/./tokens",
  "/v1/keys/../tokens",
  "/v1/keys/%2e%2e/tokens",
  "/v1/policy/bundle/../../tokens",
  "//v1/tokens",
  "/v1//tokens",
  "/v1/tokens/",
  "/v1/%74okens",
  "/v1%2ftokens",
  "/v1%5ctokens",
  "/v1\\tokens",
  "/V1/TOKENS",
  "/v1/tokens;x=1",
  "/v1/tokens%00",
  "/v1/tokens%20",
  "/v1/tokens%zz",
  "/v1/tokens%c0%ae",
  "/v1/tokens/..%2f..%2fv1%2ftokens",
  "/v1/healthz/../tokens",
  "/.well-known/../v1/tokens",
  "/metrics/..%2fv1/tokens",
  "http://elsewhere.example/v1/tokens",
  "http://elsewhere.example:99999/v1/tokens",
  "//elsewhere.example/v1/tokens",
  "*",
];

describe("a path in another spelling", () => {
  it("opens nothing that the token does not open: neither without one nor with a developer's", async () => {
    const server = await controlPlane();
    const { url, developer } = server;
    for (const path of SPELLINGS) {
      for (const headers of [["Host: a"], ["Host: a", bearer(developer)]]) {
        const heard = await overSocket(url, request(`GET ${path}`, headers));
        const [status = 0, ...more] = statuses(heard);
        expect([path, [400, 401, 403, 404, 405].includes(status), more]).toEqual([path, true, []]);
        expect(heard).not.toContain('"tokens":[');
      }
    }
    expect(server.lines.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  it("is no path: NUL and white space in the request line", async () => {
    const { url, admin } = await controlPlane();
    for (const path of ["/v1/tokens\0", "/v1/to kens", "v1/tokens", "/v1/tokens\tx", "/v1/t\u00f6kens\r"]) {
      const heard = await overSocket(url, request(`GET ${path}`, ["Host: a", bearer(admin)]));
      expect([path, statuses(heard)]).toEqual([path, [400]]);
    }
  });

  it("leads to no parameter that is not one", async () => {
    const server = await controlPlane();
    const before = await server.services.storage.tokens("acc_aaaaaaaaaaaaaaaaaaaa");
    for (const id of [
      "..%2f..%2fkeys",
      "%00",
      "%ff%fe",
      "a%2fb",
      "__proto__",
      "constructor",
      "%2e%2e%2f",
      "*",
      "%27%20or%201=1",
    ]) {
      for (const path of [`/v1/tokens/${id}`, `/v1/keys/${id}`]) {
        const heard = await overSocket(
          server.url,
          request(`DELETE ${path}`, ["Host: a", bearer(server.admin)]),
        );
        const [status = 0] = statuses(heard);
        expect([path, [400, 404].includes(status)]).toEqual([path, true]);
      }
      const version = `/v1/policy/versions/${id}?app_name=shop`;
      const heard = await overSocket(
        server.url,
        request(`GET ${version}`, ["Host: a", bearer(server.admin)]),
      );
      expect([version, statuses(heard)]).toEqual([version, [400]]);
    }
    expect(await server.services.storage.tokens("acc_aaaaaaaaaaaaaaaaaaaa")).toEqual(before);
  });

  it("is bounded", async () => {
    const { url } = await controlPlane();
    const heard = await overSocket(url, request(`GET /${"a".repeat(20_000)}`, ["Host: a"]));
    expect(statuses(heard)).toEqual([431]);
  });
});
