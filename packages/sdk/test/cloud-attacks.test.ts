import { createHmac, createPublicKey, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { InvalidSignatureError, PolicyError } from "d2-core/call";
import { describe, expect, it } from "vitest";
import { readKeyList } from "../src/cloud/key-list.js";
import { CloudRun, refusal } from "./cloud-run.js";
import { AUDIENCE, bundleOf, FakeControlPlane, type Signed, signingPair } from "./fake-control-plane.js";

const rsa = await signingPair("r1", "RS256");
const ed = await signingPair("e1");
const stranger = await signingPair("e1");

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const CLAIMS = { aud: AUDIENCE, version: 2, metadata: { name: "evil" }, policies: [] };

/** An app with a policy in force, whose control plane then says something else; and one that begins with that. */
async function face(jws: string, options: { readonly pair?: typeof ed; readonly more?: object } = {}) {
  const plane = await FakeControlPlane.start(options.pair ?? ed);
  const run = new CloudRun(plane);
  await run.begin();
  plane.bundle = bundleOf(jws, options.more);
  await run.poll();
  const error = await refusal(new CloudRun(plane));
  plane.bundle = undefined;
  await run.poll();
  return { plane, run, error };
}

const forged = async (signed: Signed, pair = ed) => {
  const plane = await FakeControlPlane.start(pair);
  plane.name = "evil";
  plane.version = 2;
  return plane.sign(signed);
};

const pem = (pair: typeof ed) =>
  createPublicKey({ key: { ...pair.jwk }, format: "jwk" }).export({ type: "spki", format: "pem" });

/** Signed by a MAC whose key everybody knows: the public key. */
function hs256(secret: string | Buffer): string {
  const signed = `${part({ alg: "HS256", kid: "r1" })}.${part(CLAIMS)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

describe("a bundle that is forged", () => {
  const list: readonly (readonly [string, RegExp, () => string | Promise<string>, typeof ed?])[] = [
    [
      "with `none` and no signature",
      /a part of its JWS is empty/,
      () => `${part({ alg: "none", kid: "e1" })}.${part(CLAIMS)}.`,
    ],
    [
      "with `none` and something for one",
      /the algorithm `none`: only RS256 and EdDSA/,
      () => `${part({ alg: "none", kid: "e1" })}.${part(CLAIMS)}.AAAA`,
    ],
    ["with `nOnE`", /the algorithm `nOnE`/, () => `${part({ alg: "nOnE", kid: "e1" })}.${part(CLAIMS)}.AAAA`],
    ["with HS256 by the public key's text", /the algorithm `HS256`/, () => hs256(pem(rsa)), rsa],
    [
      "with HS256 by the public key's modulus",
      /the algorithm `HS256`/,
      () => hs256(Buffer.from(rsa.jwk.n ?? "", "base64url")),
      rsa,
    ],
    [
      "with an algorithm that is no text",
      /the algorithm \(not shown\)/,
      () => `${part({ alg: ["EdDSA"], kid: "e1" })}.${part(CLAIMS)}.AAAA`,
    ],
    [
      "with an RSA key called EdDSA",
      /header says EdDSA, but the key `r1` is one for RS256/,
      () => `${part({ alg: "EdDSA", kid: "r1" })}.${part(CLAIMS)}.${randomBytes(64).toString("base64url")}`,
      rsa,
    ],
    [
      "with an Ed25519 key called RS256",
      /header says RS256, but the key `e1` is one for EdDSA/,
      () => `${part({ alg: "RS256", kid: "e1" })}.${part(CLAIMS)}.${randomBytes(256).toString("base64url")}`,
    ],
    ["by another key of the same name", /signature does not hold/, () => forged({ by: stranger })],
    [
      "by a key that the header brings",
      /has `jwk`, which is not accepted/,
      () => forged({ by: stranger, header: { jwk: stranger.jwk } }),
    ],
    [
      "by a key that the header points to",
      /has `jku`, which is not accepted/,
      () => forged({ by: stranger, header: { jku: "http://127.0.0.1:1/keys" } }),
    ],
    [
      "by a certificate that the header points to",
      /has `x5u`/,
      () => forged({ header: { x5u: "http://127.0.0.1:1/cert" } }),
    ],
    ["by a certificate that the header brings", /has `x5c`/, () => forged({ header: { x5c: ["AAAA"] } })],
    [
      "with extensions that must be understood",
      /has `crit`/,
      () => `${part({ alg: "EdDSA", kid: "e1", crit: ["exp"], exp: 1 })}.${part(CLAIMS)}.AAAA`,
    ],
    [
      "with another type",
      /has the type `at\+jwt`|has the type \(not shown\)/,
      () => forged({ header: { typ: "at+jwt" } }),
    ],
    [
      "without a `kid`",
      /must name its key by a `kid`/,
      () => `${part({ alg: "EdDSA" })}.${part(CLAIMS)}.AAAA`,
    ],
    ["with an empty `kid`", /must name its key by a `kid`/, () => forged({ header: { kid: "" } })],
    [
      "with a `kid` that is a path",
      /the key \(not shown\), which is not in the control plane's key list/,
      () => forged({ header: { kid: "../../../dev/null" } }),
    ],
    [
      "with a `kid` that is SQL",
      /the key \(not shown\)/,
      () => forged({ header: { kid: "x' UNION SELECT 'key" } }),
    ],
    [
      "with a `kid` that every object has",
      /the key `__proto__`, which is not in/,
      () => forged({ header: { kid: "__proto__" } }),
    ],
    [
      "with a `kid` that is a line of the log",
      /the key \(not shown\)/,
      () => forged({ header: { kid: "a\nerror all is well" } }),
    ],
    ["with a `kid` without end", /1 to 256 characters/, () => forged({ header: { kid: "k".repeat(257) } })],
    [
      "with a payload of another bundle",
      /signature does not hold/,
      async () => {
        const [head, , signature] = (await forged({})).split(".");
        return `${head}.${part(CLAIMS)}.${signature}`;
      },
    ],
    [
      "with a header of another bundle",
      /signature does not hold/,
      async () => {
        const [, payload, signature] = (await forged({})).split(".");
        return `${part({ alg: "EdDSA", kid: "e1", typ: "JWT" })}.${payload}.${signature}`;
      },
    ],
    ["with four parts", /no compact JWS of three parts/, async () => `${await forged({})}.AAAA`],
    ["with a part that is no base64url", /not base64url/, async () => `${await forged({})}=`],
    [
      "with a header that is a list",
      /header of the bundle's JWS is not a JSON object/,
      () => `${part(["EdDSA"])}.${part(CLAIMS)}.AAAA`,
    ],
    [
      "with a header that is no JSON",
      /header of the bundle's JWS is not JSON/,
      () => `AAAA.${part(CLAIMS)}.AAAA`,
    ],
  ];

  const cases = list.map(([what, words, make, pair = ed]) => ({ what, words, make, pair }));

  it.each(cases)("$what is refused, told, and the good policy stays", async ({ words, make, pair }) => {
    const { run, error } = await face(await make(), { pair });
    expect(error).toBeInstanceOf(InvalidSignatureError);
    expect(error.message).toMatch(words);
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([expect.stringMatching(words), expect.stringMatching(/answers again$/)]);
    expect(run.told[0]).toMatch(/^error .*; version 1 of "first" stays in force$/);
  });
});

describe("a bundle that is signed well", () => {
  it.each(["RS256", "EdDSA"] as const)("with %s is accepted, with and without a type", async (alg) => {
    const plane = await FakeControlPlane.start(await signingPair("any", alg));
    for (const typ of [undefined, "JOSE", "JWT"]) {
      plane.header = typ === undefined ? {} : { typ };
      const run = new CloudRun(plane);
      await run.begin();
      expect(run.policy).toBe("first");
    }
  });

  const claims: readonly (readonly [string, RegExp, Record<string, unknown>])[] = [
    ["for several apps", /`aud` must be one string/, { aud: [AUDIENCE] }],
    ["for no app", /`aud` must be one string/, { aud: undefined }],
    ["for something else", /`aud` must be one string/, { aud: "d2-events:acc_test:mine" }],
    ["for an app with a colon", /`aud` must be one string/, { aud: `${AUDIENCE}:more` }],
    ["with a version that is no number", /`version` must be a whole number/, { version: "2" }],
    ["with an end that is no number", /`exp` is no number of seconds/, { exp: "never" }],
    ["with a beginning that is no number", /`iat` is no number of seconds/, { iat: null }],
    ["without metadata", /needs `metadata`/, { metadata: undefined }],
    ["with policies that are no list", /and `policies`, a list/, { policies: {} }],
  ];

  it.each(claims)("but %s is refused", async (_, words, claimed) => {
    const { run, error } = await face(await forged({ claims: claimed }));
    expect(error).toBeInstanceOf(PolicyError);
    expect(error.message).toMatch(words);
    expect(run.policy).toBe("first");
    expect(run.told[0]).toMatch(words);
  });

  it("but for another app is refused: the token is bound to the app that it was first for", async () => {
    const plane = await FakeControlPlane.start(ed);
    const run = new CloudRun(plane);
    await run.begin();
    for (const aud of ["d2-policy:acc_test:other", "d2-policy:acc_other:mine"]) {
      plane.version += 1;
      plane.claims = { aud };
      await run.poll();
      expect(run.told.at(-1)).toMatch(
        /^error .*is for `d2-policy:\S+`, and the token is bound to `d2-policy:acc_test:mine`/,
      );
    }
    expect(run.policy).toBe("first");
  });

  it("but older than the one in force is refused, whatever the body around it says", async () => {
    const plane = await FakeControlPlane.start(ed);
    const old = await plane.sign({ claims: { version: 4, metadata: { name: "old" } } });
    plane.version = 5;
    const run = new CloudRun(plane);
    await run.begin();
    plane.bundle = bundleOf(old, { version: 99 });
    await run.poll();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([
      expect.stringMatching(/^error .*has version 4, and 5 was in force: versions never go back/),
    ]);
  });

  it("goes by the version of the body where it signs none", async () => {
    const plane = await FakeControlPlane.start(ed);
    plane.claims = { version: undefined };
    plane.version = 5;
    const run = new CloudRun(plane);
    await run.begin();
    expect(run.manager?.policy.bundle?.version).toBe(5);
    Object.assign(plane, { version: 4, name: "old" });
    await run.poll();
    expect(run.policy).toBe("first");
  });

  it("of the same version may replace it: it is signed anew before it ends", async () => {
    const plane = await FakeControlPlane.start(ed);
    const run = new CloudRun(plane);
    plane.claims = { exp: run.now / 1000 + 60 };
    await run.begin();
    plane.claims = { exp: run.now / 1000 + 120 };
    Object.defineProperty(plane, "etag", { value: () => '"1.anew"' });
    await run.poll();
    expect(run.manager?.plan?.expiresAt).toBe(run.now + 120_000);
  });
});

describe("the keys of a control plane", () => {
  const begun = async (pins?: readonly string[]) => {
    const plane = await FakeControlPlane.start(ed);
    const run = new CloudRun(plane, pins === undefined ? {} : { pins });
    await run.begin();
    return { plane, run };
  };

  it("are asked for again at once when one is not known, at most once a second", async () => {
    const { plane, run } = await begun();
    const next = await signingPair("e2");
    plane.pair = next;
    plane.version = 2;
    await run.poll();
    expect(plane.keysAsked).toHaveLength(1);
    expect(run.told).toEqual([
      expect.stringMatching(/signed with the key `e2`, which is not in the control plane's key list/),
    ]);
    run.now += 1000;
    plane.listed = [ed.jwk, next.jwk];
    await run.poll();
    expect(plane.keysAsked).toHaveLength(2);
    expect(run.manager?.policy.bundle?.version).toBe(2);
  });

  it("are asked for once for a rotation that is announced, past the limit and whatever is known", async () => {
    const { plane, run } = await begun();
    const next = await signingPair("e2");
    Object.assign(plane, { pair: next, listed: [ed.jwk, next.jwk] });
    plane.header = { jwks_refresh: true, rotation_id: "rot-1", reason: "scheduled" };
    for (plane.version = 2; plane.version < 5; plane.version += 1) await run.poll();
    expect(plane.keysAsked).toHaveLength(2);
    expect(run.manager?.policy.bundle?.version).toBe(4);
    plane.header = { jwks_refresh: true, rotation_id: "rot-2" };
    await run.poll();
    expect(plane.keysAsked).toHaveLength(3);
  });

  it("that are announced and cannot be had are asked for once more after a second", async () => {
    const { plane, run } = await begun();
    const next = await signingPair("e2");
    Object.assign(plane, { pair: next, listed: [next.jwk], version: 2 });
    plane.header = { jwks_refresh: true, rotation_id: "rot-1" };
    plane.keys = (_, response) => {
      plane.keys = undefined;
      response.writeHead(500).end();
    };
    const before = run.timeouts.waits.length;
    const polled = run.poll();
    for (; !run.timeouts.waits.slice(before).includes(1000); ) await run.timeouts.set();
    run.timeouts.fire();
    await polled;
    expect(run.manager?.policy.bundle?.version).toBe(2);
  });

  it("verify nothing any more once they have left the list", async () => {
    const { plane, run } = await begun();
    plane.listed = [(await signingPair("e2")).jwk];
    run.now += 300_000;
    plane.version = 2;
    await run.poll();
    expect(run.manager?.policy.bundle?.version).toBe(1);
    expect(run.told).toEqual([expect.stringMatching(/the key `e1`, which is not in/)]);
  });

  it("are used only if they are pinned, where that is wanted", async () => {
    const der = createPublicKey({ key: { ...ed.jwk }, format: "jwk" }).export({
      type: "spki",
      format: "der",
    });
    const { createHash } = await import("node:crypto");
    const pin = createHash("sha256").update(der).digest("base64url");
    const { plane, run } = await begun([pin]);
    const next = await signingPair("e2");
    Object.assign(plane, { pair: next, listed: [ed.jwk, next.jwk], version: 2 });
    run.now += 1000;
    await run.poll();
    expect(run.told).toEqual([
      expect.stringMatching(/the key `e2`, which is not among `pinJwksThumbprints`/),
    ]);
    const error = await refusal(new CloudRun(plane, { pins: [pin] }));
    expect(error).toBeInstanceOf(InvalidSignatureError);
  });

  it("are those of a list that is for signatures, with one key a name", () => {
    const { jwk } = ed;
    const list = [
      { ...jwk, kid: "good", d: "private" },
      { ...jwk, kid: "for-encryption", use: "enc" },
      { ...jwk, kid: "to-sign", key_ops: ["sign"] },
      { ...jwk, kid: "other-curve", crv: "Ed448" },
      { ...jwk, kid: "other-algorithm", alg: "RS256" },
      { ...rsa.jwk, kid: "pss", alg: "PS256" },
      { kty: "oct", kid: "secret", k: "AAAA" },
      { ...jwk, kid: undefined },
      { ...jwk, kid: "twice" },
      { ...stranger.jwk, kid: "twice" },
      { ...rsa.jwk, kid: "__proto__" },
      null,
    ];
    const keys = readKeyList(JSON.stringify({ keys: list }));
    expect([...keys.keys()]).toEqual(["good", "__proto__"]);
    expect(keys.get("good")).toEqual({ jwk: { kty: "OKP", crv: "Ed25519", x: jwk.x }, alg: "EdDSA" });
  });

  const lists: readonly (readonly [string, RegExp, (response: ServerResponse) => unknown])[] = [
    [
      "a redirect",
      /key list was answered with a redirect \(307\)/,
      (it) => it.writeHead(307, { location: "/k" }).end(),
    ],
    ["no JWKS", /key list is no JWKS/, (it) => it.end('{"keys": {}}')],
    ["no JSON", /key list is no JWKS/, (it) => it.end("<html>")],
    ["more than a list can be", /key list is too large/, (it) => it.end("x".repeat(300_000))],
    [
      "half of one",
      /key list came only in part/,
      (it) => {
        it.writeHead(200, { "content-length": "100" }).write("{");
        setImmediate(() => it.destroy());
      },
    ],
    ["a refusal", /answers 403 for its key list/, (it) => it.writeHead(403).end()],
  ];

  it.each(lists)("in whose place comes %s verify nothing", async (_, words, answer) => {
    const { plane, run } = await begun();
    plane.keys = (__, response) => answer(response);
    plane.version = 2;
    run.now += 300_000;
    await run.poll();
    expect(run.manager?.policy.bundle?.version).toBe(1);
    expect(run.told).toEqual([expect.stringMatching(words)]);
    expect(run.told[0]).toMatch(/^warn .*stays in force$/);
    plane.keys = undefined;
    run.now += 1000;
    await run.poll();
    expect(run.manager?.policy.bundle?.version).toBe(2);
  });

  it("that are too short are not used", async () => {
    const { generateKeyPairSync, sign } = await import("node:crypto");
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const text = `${part({ alg: "RS256", kid: "small" })}.${part(CLAIMS)}`;
    const jws = `${text}.${sign("RSA-SHA256", Buffer.from(text), privateKey).toString("base64url")}`;
    const plane = await FakeControlPlane.start(ed);
    plane.listed = [{ ...publicKey.export({ format: "jwk" }), kid: "small" }];
    plane.bundle = bundleOf(jws);
    expect((await refusal(new CloudRun(plane))).message).toMatch(/signature does not hold/);
  });
});
