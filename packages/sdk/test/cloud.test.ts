import { BundleExpiredError, ConfigurationError, D2PlanLimitError, PolicyTooLargeError } from "d2-core/call";
import { describe, expect, it, vi } from "vitest";
import { CloudRun, refusal } from "./cloud-run.js";
import { FakeControlPlane, status, TOKEN } from "./fake-control-plane.js";

const start = async () => {
  const plane = await FakeControlPlane.start();
  const run = new CloudRun(plane);
  return { plane, run };
};

const begun = async () => {
  const { plane, run } = await start();
  await run.begin();
  return { plane, run };
};

describe("an app in cloud mode", () => {
  it("has the control plane's policy in force once it is set up, and says where it is from", async () => {
    const { plane, run } = await start();
    const { policy, plan } = await run.begin();
    expect(policy).toMatchObject({
      name: "first",
      source: `the control plane ${plane.url}`,
      bundle: { version: 1, audience: "d2-policy:acc_test:mine", etag: plane.etag() },
    });
    expect(plan?.view(["reader"]).entry("read").denial).toBeUndefined();
    expect(run.told).toEqual([]);
  });

  it("shows its token to bundle and key list, and gives each bundle request an id", async () => {
    const { plane } = await begun();
    expect(plane.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${TOKEN}`,
      `Bearer ${TOKEN}`,
    ]);
    expect(plane.asked[0]?.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(plane.asked[0]?.headers["if-none-match"]).toBeUndefined();
  });

  it("shows its token to no key list elsewhere", async () => {
    const plane = await FakeControlPlane.start();
    const other = await FakeControlPlane.start(plane.pair);
    const run = new CloudRun(plane, { environment: { D2_JWKS_URL: `${other.url}/.well-known/jwks.json` } });
    await run.begin();
    expect(other.keysAsked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("takes up a change with the next poll, and asks by the ETag of what is in force", async () => {
    const { plane, run } = await begun();
    const tag = plane.etag();
    await run.poll();
    expect(plane.asked.at(-1)?.headers["if-none-match"]).toBe(tag);
    expect(run.policy).toBe("first");
    Object.assign(plane, { version: 2, name: "second" });
    await run.poll();
    expect(run.policy).toBe("second");
    expect(run.log.of("info")).toEqual([expect.stringContaining('the policy "second"')]);
  });

  it("keeps the very plan when nothing has changed", async () => {
    const { plane, run } = await begun();
    const plan = run.manager?.plan;
    await run.poll();
    Object.defineProperty(plane, "etag", { value: () => '"other"' });
    await run.poll();
    expect(run.manager?.plan).toBe(plan);
    expect(plane.asked).toHaveLength(3);
  });

  it("fetches the key list once for many bundles", async () => {
    const { plane, run } = await begun();
    for (let version = 2; version < 6; version += 1) {
      plane.version = version;
      await run.poll();
    }
    expect(run.manager?.policy.bundle?.version).toBe(5);
    expect(plane.keysAsked).toHaveLength(1);
  });

  it("asks at once when it is to reload, and rejects when that fails", async () => {
    const { plane, run } = await begun();
    Object.assign(plane, { version: 2, name: "second" });
    expect(await run.manager?.reload()).toMatchObject({ name: "second" });
    plane.bundle = status(401);
    await expect(run.manager?.reload()).rejects.toThrow(/token/);
    expect(run.policy).toBe("second");
  });

  it("reads groups and data flow from the metadata", async () => {
    const plane = await FakeControlPlane.start();
    plane.claims = {
      metadata: { name: "grouped", tool_groups: { egress: ["web.post"] } },
      policies: [{ role: "reader", permissions: ["@egress"] }],
    };
    const run = new CloudRun(plane);
    const { plan } = await run.begin();
    expect(plan?.view(["reader"]).entry("web.post").denial).toBeUndefined();
  });

  it("keeps the good policy when a bundle holds a faulty one, and asks for it again", async () => {
    const { plane, run } = await begun();
    const tag = plane.etag();
    plane.version = 2;
    plane.claims = { policies: [{ rol: "reader" }] };
    await run.poll();
    await vi.waitFor(() => expect(run.log.of("error")).toHaveLength(1));
    expect(run.log.of("error")[0]).toContain("no usable policy");
    expect(run.policy).toBe("first");
    await run.poll();
    expect(plane.asked.at(-1)?.headers["if-none-match"]).toBe(tag);
    plane.claims = {};
    Object.assign(plane, { version: 3, name: "third" });
    await run.poll();
    expect(run.policy).toBe("third");
  });

  it("takes up nothing any more, and asks nothing, once it is shut down", async () => {
    const { plane, run } = await begun();
    const asked = plane.asked.length;
    await run.manager?.close();
    expect(run.polls.count).toBe(0);
    expect(plane.asked).toHaveLength(asked);
  });
});

describe("the end of a bundle", () => {
  it("is the plan's, or the document's where that is earlier", async () => {
    const plane = await FakeControlPlane.start();
    const run = new CloudRun(plane);
    const ends = run.now + 3_600_000;
    plane.claims = { exp: ends / 1000 };
    const { plan, policy } = await run.begin();
    expect([plan?.expiresAt, policy.expiresAt]).toEqual([ends, ends]);
    plane.claims = {
      exp: ends / 1000,
      metadata: { name: "soon", expires: new Date(ends - 1000).toISOString() },
    };
    plane.version = 2;
    await run.poll();
    expect(run.manager?.plan?.expiresAt).toBe(ends - 1000);
  });

  it("is no reason to warn while the control plane renews it", async () => {
    const plane = await FakeControlPlane.start();
    const run = new CloudRun(plane);
    plane.claims = { exp: run.now / 1000 + 1800 };
    await run.begin();
    expect(run.told).toEqual([]);
  });

  it("that lies behind is refused at the start", async () => {
    const plane = await FakeControlPlane.start();
    const run = new CloudRun(plane);
    plane.claims = { exp: run.now / 1000 };
    const error = await refusal(run);
    expect(error).toBeInstanceOf(BundleExpiredError);
    expect(error.message).toMatch(/expired at 2026-06-01T00:00:00.000Z.*check this machine's clock/);
  });
});

describe("a clock that is apart from the control plane's", () => {
  it.each(["iat", "nbf"])("by a minute is put up with for `%s`, and by more refused", async (name) => {
    const { plane, run } = await begun();
    Object.assign(plane, { version: 2, name: "second", claims: { [name]: run.now / 1000 + 60 } });
    await run.poll();
    expect(run.policy).toBe("second");
    Object.assign(plane, { version: 3, name: "third", claims: { [name]: run.now / 1000 + 61 } });
    await run.poll();
    expect(run.policy).toBe("second");
    expect(run.told).toEqual([
      expect.stringMatching(
        `^error .*\`${name}\` lies in the future.*check this machine's clock; version 2 of "second" stays`,
      ),
    ]);
  });
});

describe("a control plane that is lost", () => {
  it("leaves the policy in force, which is told once, and so is its return", async () => {
    const { plane, run } = await begun();
    plane.bundle = (_, response) => response.destroy();
    for (let times = 0; times < 3; times += 1) await run.poll();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([
      expect.stringMatching(
        /^warn the control plane http\S+: the bundle cannot be had: .* not reached \(\w+\); version 1 of "first" stays in force$/,
      ),
    ]);
    plane.bundle = undefined;
    await run.poll();
    expect(run.told[1]).toMatch(/^warn the control plane \S+ answers again$/);
  });

  it("is told again at the fifth failure", async () => {
    const { plane, run } = await begun();
    plane.bundle = status(500);
    for (let times = 0; times < 7; times += 1) await run.poll();
    expect(run.told).toHaveLength(2);
    expect(run.told[1]).toContain("a fault of its own (500), 5 times now");
  });

  it("at the start denies calls until a policy comes, and is asked soon", async () => {
    const { plane, run } = await start();
    plane.bundle = (_, response) => response.destroy();
    const manager = await run.begin();
    expect(manager.plan).toBeUndefined();
    expect(manager.policy.name).toBe("d2.none");
    expect(run.told).toEqual([expect.stringMatching(/every call is denied until a policy comes$/)]);
    expect(run.polls.waits).toEqual([10_000]);
    plane.bundle = undefined;
    await run.poll();
    expect(run.policy).toBe("first");
  });

  it("whose socket is closed is the same", async () => {
    const { plane, run } = await start();
    await plane.stop();
    await run.begin();
    expect(run.told).toEqual([expect.stringMatching(/not reached \(ECONNREFUSED\); every call is denied/)]);
  });

  it("without its key list is the same", async () => {
    const { plane, run } = await start();
    plane.keys = status(503);
    await run.begin();
    expect(run.told).toEqual([expect.stringMatching(/answers 503 for its key list; every call is denied/)]);
    plane.keys = undefined;
    run.now += 1000;
    await run.poll();
    expect(run.policy).toBe("first");
  });
});

describe("an answer that is not as it should be", () => {
  it.each([
    [
      "a body that is cut short",
      /the bundle came only in part/,
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write('{"jws": "');
        setImmediate(() => response.destroy());
      },
    ],
    [
      "a chunked body that is cut short",
      /the bundle came only in part/,
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200);
        response.write('{"jws": "');
        setImmediate(() => response.destroy());
      },
    ],
    [
      "a redirect",
      /answered with a redirect \(302\), which is refused/,
      (response: import("node:http").ServerResponse) => {
        response.writeHead(302, { location: "/elsewhere" }).end();
      },
    ],
    [
      "bytes that are no UTF-8",
      /is not UTF-8/,
      (response: import("node:http").ServerResponse) => {
        response.end(Buffer.from([0x7b, 0xff, 0x7d]));
      },
    ],
    [
      "half a JSON text",
      /no bundle: only a `jws` is accepted/,
      (response: import("node:http").ServerResponse) => {
        response.end('{"jws": "a.b.c"');
      },
    ],
    [
      "a bundle in the older form",
      /older form, whose signature covers nothing/,
      (response: import("node:http").ServerResponse) => {
        response.end(JSON.stringify({ policy: { policies: [] }, signature: "a.b.c" }));
      },
    ],
    [
      "a version that is no number",
      /`version` is no whole number/,
      (response: import("node:http").ServerResponse) => {
        response.end(JSON.stringify({ jws: "a.b.c", version: "1" }));
      },
    ],
    [
      "a status that means nothing",
      /means nothing here \(418\)/,
      (response: import("node:http").ServerResponse) => {
        response.writeHead(418).end();
      },
    ],
  ])("%s changes nothing and is told", async (_, words, answer) => {
    const { plane, run } = await begun();
    plane.bundle = (__, response) => answer(response);
    await run.poll();
    expect(run.policy).toBe("first");
    expect(run.told).toEqual([expect.stringMatching(words)]);
    expect(run.told[0]).toMatch(/^warn .*; version 1 of "first" stays in force$/);
    expect(plane.requests.some(({ path }) => path === "/elsewhere")).toBe(false);
    plane.bundle = undefined;
    Object.assign(plane, { version: 2, name: "second" });
    await run.poll();
    expect(run.policy).toBe("second");
  });

  it("a body that does not end is given up when its time is over", async () => {
    const { plane, run } = await begun();
    let began = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      began = resolve;
    });
    plane.bundle = (_, response) => {
      response.writeHead(200);
      response.write('{"jws": "', began);
    };
    const polled = run.poll();
    await reached;
    expect(run.policy).toBe("first");
    run.timeouts.fire();
    await polled;
    expect(run.timeouts.waits.at(-1)).toBe(5000);
    expect(run.told).toEqual([
      expect.stringMatching(/the bundle did not come in time; version 1 of "first" stays/),
    ]);
  });

  it("a huge body is not read to its end", async () => {
    const plane = await FakeControlPlane.start();
    const run = new CloudRun(plane, { maxBytes: 1000 });
    let closed = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    plane.bundle = (_, response) => {
      response.on("close", closed);
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(16_384)));
      };
      response.on("drain", more);
      more();
    };
    const error = await refusal(run);
    await gone;
    expect(error).toBeInstanceOf(PolicyTooLargeError);
    expect(error.message).toContain("the limit is 1000");
  });

  it("304 where nothing was asked for by ETag is no answer", async () => {
    const { plane, run } = await start();
    plane.bundle = status(304);
    await run.begin();
    expect(run.told).toEqual([expect.stringMatching(/unchanged \(304\) without a bundle/)]);
  });
});

describe("a status that refuses", () => {
  it.each([
    [401, {}, ConfigurationError, /does not know the token \(401\)/],
    [402, { error: "tool_limit" }, D2PlanLimitError, /more tools than the plan allows \(`tool_limit`\)/],
    [402, { code: "locked" }, D2PlanLimitError, /the account is locked/],
    [402, {}, D2PlanLimitError, /the plan does not allow it/],
    [403, {}, ConfigurationError, /may not read this policy \(403\)/],
    [403, { detail: "quota_apps_exceeded" }, D2PlanLimitError, /more apps than its plan allows/],
    [
      404,
      { detail: "app_name required for non-server tokens" },
      ConfigurationError,
      /runtime token of the app/,
    ],
  ])("%i %j at the start is an error, and later a warning", async (code, body, kind, words) => {
    const { plane, run } = await start();
    plane.bundle = status(code, body);
    const error = await refusal(run);
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(words);
    plane.bundle = undefined;
    const other = new CloudRun(plane);
    await other.begin();
    plane.bundle = status(code, body);
    await other.poll();
    expect(other.policy).toBe("first");
    expect(other.told).toEqual([expect.stringMatching(words)]);
    expect(other.told[0]).toMatch(/^warn .*stays in force$/);
  });

  it("404 without more means that nothing is published yet", async () => {
    const { plane, run } = await start();
    plane.bundle = status(404);
    await run.begin();
    expect(run.told).toEqual([
      expect.stringMatching(/no policy has been published.*`d2 publish` one; every call/),
    ]);
    plane.bundle = undefined;
    await run.poll();
    expect(run.policy).toBe("first");
  });

  it("never has the token in a line", async () => {
    const { plane, run } = await begun();
    for (const code of [401, 402, 403, 404, 410, 429, 500]) {
      plane.bundle = status(code, { detail: TOKEN });
      await run.poll();
    }
    expect(run.log.lines.length).toBeGreaterThan(5);
    expect(JSON.stringify(run.log.lines)).not.toContain(TOKEN);
  });
});

describe("a revocation", () => {
  it("takes effect at once, and only a newer version brings a policy back", async () => {
    const { plane, run } = await begun();
    plane.bundle = status(410);
    await run.poll();
    await run.poll();
    expect(run.manager?.plan).toBeUndefined();
    expect(run.told).toEqual([
      expect.stringMatching(/^error .*revoked the policy \(410\): every call is denied/),
    ]);
    plane.bundle = undefined;
    await run.poll();
    expect(plane.asked.at(-1)?.headers["if-none-match"]).toBeUndefined();
    expect(run.manager?.plan).toBeUndefined();
    expect(run.told[1]).toMatch(/^error .*has version 1, and 1 was revoked.*every call is denied/);
    Object.assign(plane, { version: 2, name: "second" });
    await run.poll();
    expect(run.policy).toBe("second");
  });

  it("is told to those who listen, and rejects a reload", async () => {
    const { plane, run } = await begun();
    const kinds: string[] = [];
    run.manager?.onChange(({ kind }) => kinds.push(kind));
    plane.bundle = status(410);
    await expect(run.manager?.reload()).rejects.toThrow(/has no policy/);
    expect(kinds).toEqual(["revoked"]);
    expect(run.manager?.plan).toBeUndefined();
  });

  it("at the start is no error: calls are denied", async () => {
    const { plane, run } = await start();
    plane.bundle = status(410);
    expect((await run.begin()).plan).toBeUndefined();
    plane.bundle = undefined;
    await run.poll();
    expect(run.policy).toBe("first");
  });
});

describe("a fault of the server's", () => {
  it.each([500, 502, 503, 504])("(%i) at a load is worth a second try", async (code) => {
    const { plane, run } = await start();
    plane.bundle = (_, response) => {
      plane.bundle = undefined;
      response.writeHead(code).end();
    };
    const waiting = run.timeouts.set();
    const begins = run.begin();
    await waiting;
    await vi.waitFor(() => expect(run.timeouts.waits).toContain(300));
    run.timeouts.fire();
    await begins;
    expect(run.policy).toBe("first");
    expect(plane.asked).toHaveLength(2);
    expect(run.told).toEqual([]);
  });

  it("at a poll is not: the next poll is the try", async () => {
    const { plane, run } = await begun();
    plane.bundle = status(500);
    await run.poll();
    expect(plane.asked).toHaveLength(2);
  });
});
