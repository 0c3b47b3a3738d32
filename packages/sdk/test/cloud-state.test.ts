import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { CloudRun } from "./cloud-run.js";
import { bundleOf, FakeControlPlane, signingPair, status, TOKEN } from "./fake-control-plane.js";
import { PolicyFolder } from "./policy-folder.js";

/** A control plane, a state file, and an app that has once been in force with both. */
async function earlier() {
  const plane = await FakeControlPlane.start();
  const state = new PolicyFolder().at("state", "bundles.json");
  const run = new CloudRun(plane, { state });
  await run.begin();
  await run.end();
  return { plane, state, again: () => new CloudRun(plane, { state }) };
}

/** Changes what the file says of the token. */
function tamper(
  state: string,
  change: (kept: Record<string, unknown>, token: Record<string, unknown>) => void,
): void {
  const all = JSON.parse(readFileSync(state, "utf8"));
  for (const token of Object.values<Record<string, unknown>>(all.tokens)) {
    change(token["kept"] as Record<string, unknown>, token);
  }
  writeFileSync(state, JSON.stringify(all));
}

const lose = (plane: FakeControlPlane) => {
  plane.bundle = (_, response) => response.destroy();
};

describe("the state file", () => {
  it("is for its owner only, and nothing else lies beside it", async () => {
    const { state } = await earlier();
    expect(statSync(state).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(state)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(state))).toEqual(["bundles.json"]);
  });

  it("holds the bundle as it was signed, and no token", async () => {
    const { plane, state } = await earlier();
    const text = readFileSync(state, "utf8");
    expect(text).toContain(await plane.sign());
    expect(text).not.toContain(TOKEN);
  });

  it("is not written when nothing is to be kept on disk", async () => {
    const folder = new PolicyFolder();
    const plane = await FakeControlPlane.start();
    await new CloudRun(plane, { environment: { HOME: folder.path, XDG_CONFIG_HOME: folder.path } }).begin();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it("is shared by the apps of a machine", async () => {
    const { plane, state, again } = await earlier();
    const other = new CloudRun(plane, { state, token: "d2r_another-token" });
    plane.claims = { aud: "d2-policy:acc_test:other" };
    await other.begin();
    expect(other.policy).toBe("first");
    lose(plane);
    const mine = again();
    await mine.begin();
    expect(mine.manager?.policy.bundle?.audience).toBe("d2-policy:acc_test:mine");
  });

  it("that cannot be written is told once, and the policy is in force all the same", async () => {
    const folder = new PolicyFolder();
    const plane = await FakeControlPlane.start();
    const run = new CloudRun(plane, { state: `${folder.write("file", "")}/bundles.json` });
    await run.begin();
    plane.version = 2;
    await run.poll();
    expect(run.manager?.policy.bundle?.version).toBe(2);
    expect(run.log.of("error")).toEqual([
      expect.stringMatching(/cannot be written \(EEXIST\).*`D2_STATE_PATH`/),
    ]);
  });

  it("is written in spite of a lock that a process has left behind", async () => {
    const { plane, state, again } = await earlier();
    writeFileSync(`${state}.lock`, "");
    utimesSync(`${state}.lock`, 1, 1);
    plane.version = 2;
    const run = again();
    await run.begin();
    expect(run.told).toEqual([]);
    expect(readFileSync(state, "utf8")).toContain(await plane.sign());
    expect(readdirSync(dirname(state))).toEqual(["bundles.json"]);
  });

  it("is written whole by two at a time", async () => {
    const { plane, state } = await earlier();
    const runs = [0, 1, 2].map((n) => new CloudRun(plane, { state, token: `d2r_token-${n}` }));
    await Promise.all(runs.map((run) => run.begin()));
    expect(Object.keys(JSON.parse(readFileSync(state, "utf8")).tokens)).toHaveLength(4);
  });
});

describe("a start without the control plane", () => {
  it("begins with the bundle of an earlier run, says so, and follows when it is back", async () => {
    const { plane, again } = await earlier();
    lose(plane);
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([
      expect.stringMatching(
        /^warn .*not reached.*; version 1 of "first", which an earlier run has left in the state file, is in force$/,
      ),
    ]);
    plane.bundle = undefined;
    Object.assign(plane, { version: 2, name: "second" });
    await run.poll();
    expect(run.policy).toBe("second");
  });

  it("verifies what is left by the control plane's own keys as soon as it can", async () => {
    const { plane, again } = await earlier();
    lose(plane);
    const run = again();
    await run.begin();
    const { plan } = run.manager ?? {};
    plane.bundle = undefined;
    const asked = plane.keysAsked.length;
    await run.poll();
    await run.poll();
    expect(run.manager?.plan).toBe(plan);
    expect(plane.keysAsked).toHaveLength(asked + 1);
  });

  it("begins with none that has expired since", async () => {
    const plane = await FakeControlPlane.start();
    const state = new PolicyFolder().at("bundles.json");
    const first = new CloudRun(plane, { state });
    plane.claims = { exp: first.now / 1000 + 60 };
    await first.begin();
    lose(plane);
    const run = new CloudRun(plane, { state });
    run.now += 60_000;
    expect((await run.begin()).plan).toBeUndefined();
    expect(run.told[0]).toMatch(/^warn the bundle in the state file is not used: the bundle expired at/);
    expect(run.told[1]).toMatch(/every call is denied until a policy comes$/);
  });

  it.each([401, 402, 403])("holds also when the token is refused (%i), with a warning", async (code) => {
    const { plane, again } = await earlier();
    plane.bundle = status(code);
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([expect.stringMatching(/^warn .*left in the state file, is in force$/)]);
  });

  it("holds also when what comes is signed badly", async () => {
    const { plane, again } = await earlier();
    plane.bundle = bundleOf(await plane.sign({ by: await signingPair("k1") }));
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([expect.stringMatching(/^error .*signature does not hold.*is in force$/)]);
  });

  it("verifies what it finds: a changed bundle is none", async () => {
    const { plane, state, again } = await earlier();
    lose(plane);
    tamper(state, (kept) => {
      const [head, , signature] = String(kept["jws"]).split(".");
      const claims = {
        aud: "d2-policy:acc_test:mine",
        version: 1,
        metadata: {},
        policies: [{ role: "reader", permissions: ["*"] }],
      };
      kept["jws"] = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
    });
    const run = again();
    expect((await run.begin()).plan).toBeUndefined();
    expect(run.told[0]).toMatch(
      /^warn the bundle in the state file is not used: the bundle's signature does not hold/,
    );
  });

  it("takes no key of the file's that is not pinned", async () => {
    const { plane, state } = await earlier();
    const evil = await signingPair("k1");
    lose(plane);
    const jws = await plane.sign({ by: evil, claims: { metadata: { name: "evil" } } });
    tamper(state, (kept) => Object.assign(kept, { jws, jwk: evil.jwk }));
    const run = new CloudRun(plane, { state, pins: ["A".repeat(43)] });
    expect((await run.begin()).plan).toBeUndefined();
    expect(run.told[0]).toMatch(/is not among `pinJwksThumbprints`/);
  });

  it("takes no bundle of another app's", async () => {
    const { plane, state, again } = await earlier();
    lose(plane);
    const jws = await plane.sign({ claims: { aud: "d2-policy:acc_test:other" } });
    tamper(state, (kept) => Object.assign(kept, { jws }));
    const run = again();
    expect((await run.begin()).plan).toBeUndefined();
    expect(run.told[0]).toMatch(/the token is bound to `d2-policy:acc_test:mine`/);
  });
});

describe("a start with the control plane", () => {
  it("asks by the ETag that was kept, and believes the bundle beside it only when the keys verify it", async () => {
    const { plane, again } = await earlier();
    const run = again();
    await run.begin();
    expect(plane.asked.at(-1)?.headers["if-none-match"]).toBe(plane.etag());
    expect(run.policy).toBe("first");
    expect(plane.keysAsked).toHaveLength(2);
  });

  it("asks anew when a bundle of somebody else's lies beside the ETag", async () => {
    const { plane, state, again } = await earlier();
    const evil = await signingPair("k1");
    const jws = await plane.sign({ by: evil, claims: { metadata: { name: "evil" } } });
    tamper(state, (kept) => Object.assign(kept, { jws, jwk: evil.jwk }));
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    expect(plane.asked.slice(-2).map(({ headers }) => headers["if-none-match"])).toEqual([
      plane.etag(),
      undefined,
    ]);
    expect(run.told).toEqual([
      expect.stringMatching(/^warn the bundle in the state file is not used: .*does not hold/),
    ]);
    expect(readFileSync(state, "utf8")).not.toContain(jws);
  });

  it.each([
    "",
    "{",
    "null",
    '{"v":2}',
    '{"v":1,"apps":{},"tokens":{"x":{"audience":1}}}',
    '{"v":1,"apps":[],"tokens":{}}',
  ])("passes over a state file that says %j, with a warning, and writes it anew", async (text) => {
    const { state, again } = await earlier();
    writeFileSync(state, text);
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([
      expect.stringMatching(/^warn .*cannot be used and is passed over \(it is damaged\)/),
    ]);
    expect(JSON.parse(readFileSync(state, "utf8")).v).toBe(1);
  });

  it("refuses a version older than one that was in force before the restart", async () => {
    const { plane, state } = await earlier();
    const run = new CloudRun(plane, { state });
    plane.version = 7;
    await run.begin();
    tamper(state, (_, token) => delete token["kept"]);
    plane.version = 6;
    const later = new CloudRun(plane, { state });
    expect((await later.begin()).plan).toBeUndefined();
    expect(later.told).toEqual([
      expect.stringMatching(/^error .*has version 6, and 7 was in force: versions never go back.*denied/),
    ]);
  });

  it("stays with the app that the token was bound to before the restart", async () => {
    const { plane, again } = await earlier();
    plane.version = 2;
    plane.claims = { aud: "d2-policy:acc_test:other" };
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    expect(run.told[0]).toMatch(/the token is bound to `d2-policy:acc_test:mine`/);
  });
});

describe("a revocation and a restart", () => {
  const revoked = async () => {
    const { plane, state, again } = await earlier();
    plane.bundle = status(410);
    const run = again();
    expect((await run.begin()).plan).toBeUndefined();
    await run.end();
    return { plane, state, again };
  };

  it("removes what was kept", async () => {
    const { plane, state } = await revoked();
    expect(existsSync(state)).toBe(true);
    expect(readFileSync(state, "utf8")).not.toContain(await plane.sign());
  });

  it("stays revoked without the control plane", async () => {
    const { plane, again } = await revoked();
    lose(plane);
    const run = again();
    expect((await run.begin()).plan).toBeUndefined();
    expect(run.told).toEqual([expect.stringMatching(/every call is denied until a policy comes$/)]);
  });

  it("stays revoked when the same version is served again, also to another token", async () => {
    const { plane, state, again } = await revoked();
    plane.bundle = undefined;
    for (const run of [again(), new CloudRun(plane, { state, token: "d2r_other" })]) {
      expect((await run.begin()).plan).toBeUndefined();
      expect(run.told).toEqual([expect.stringMatching(/^error .*has version 1, and 1 was revoked.*denied/)]);
    }
  });

  it("ends with a newer version, and stays ended", async () => {
    const { plane, again } = await revoked();
    plane.bundle = undefined;
    plane.version = 2;
    const run = again();
    await run.begin();
    expect(run.policy).toBe("first");
    lose(plane);
    const later = again();
    await later.begin();
    expect(later.policy).toBe("first");
  });

  it("is remembered by a process that was not told, when another was", async () => {
    const { plane, state, again } = await earlier();
    const run = again();
    await run.begin();
    const other = again();
    plane.bundle = status(410);
    expect((await other.begin()).plan).toBeUndefined();
    lose(plane);
    expect((await new CloudRun(plane, { state }).begin()).plan).toBeUndefined();
  });
});
