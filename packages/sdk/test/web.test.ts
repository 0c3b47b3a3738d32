import { AsyncResource } from "node:async_hooks";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { d2Guard, getUserContext, NoContextError, runAs } from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { headersExtractor } from "../src/web/extractor.js";
import { enforce } from "./enforce.js";
import { OWN_ERROR, type Running, servers } from "./web-servers.js";

const readNotes = d2Guard("notes.read", async () => {
  await setImmediate();
  return getUserContext().userId;
});
const eraseNotes = d2Guard("notes.erase", () => "erased");

const running: Running[] = [];

/** A server that is closed after the test. */
async function started(server: Promise<Running>): Promise<Running> {
  const it = await server;
  running.push(it);
  return it;
}

/** A gate: `opened` resolves when `open` has been called `count` times. */
function gate(count = 1): { open(): void; readonly opened: Promise<void> } {
  const { promise, resolve } = withResolvers();
  let missing = count;
  return {
    opened: promise,
    open() {
      missing -= 1;
      if (missing === 0) resolve();
    },
  };
}

function withResolvers(): { promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const as = (user: string, roles = "reader") => ({ headers: { "x-d2-user": user, "x-d2-roles": roles } });

/** The function, for the context in which this was called. */
const here = <T>(block: () => T): (() => T) => AsyncResource.bind(block);

beforeEach(() => {
  enforce([
    { role: "reader", permissions: ["notes.read"] },
    { role: "boss", permissions: ["notes.read", "notes.erase"] },
  ]);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
  instanceSlot("default").enforcer = undefined;
});

describe.each(Object.entries(servers))("a request in %s", (_framework, serve) => {
  it("keeps its user among fifty in flight", async () => {
    const all = gate(50);
    const { url } = await started(
      serve(headersExtractor, async (path) => {
        all.open();
        await all.opened;
        const before = getUserContext();
        for (let round = 0; round < Number(path.slice(1)) % 5; round += 1) await setImmediate();
        const inside = await readNotes();
        if (before.userId === "user-13") eraseNotes();
        await setImmediate();
        const after = getUserContext();
        return {
          users: [before.userId, inside, after.userId],
          roles: after.roles,
          history: after.callHistory,
          same: before.requestId === after.requestId,
          requestId: after.requestId,
        };
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const response = await fetch(`${url}/${n}`, as(`user-${n}`, `reader, r${n}`));
        return { n, status: response.status, body: JSON.parse(await response.text()) };
      }),
    );
    for (const { n, status, body } of answers) {
      if (n === 13) {
        expect({ status, tool: body.tool }).toEqual({ status: 403, tool: "notes.erase" });
        continue;
      }
      expect(body).toMatchObject({
        users: [`user-${n}`, `user-${n}`, `user-${n}`],
        roles: ["reader", `r${n}`],
        history: ["notes.read"],
        same: true,
      });
    }
    expect(new Set(answers.map(({ n, body }) => (n === 13 ? "13" : body.requestId))).size).toBe(50);
  });

  it("answers a refused call with a problem document that tells nothing of the user", async () => {
    const { url } = await started(serve(headersExtractor, async () => eraseNotes()));
    const response = await fetch(`${url}/`, as("alice-123", "reader,auditor-77"));
    expect(response.status).toBe(403);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const answer = await response.text();
    expect(JSON.parse(answer)).toEqual({
      type: "about:blank",
      title: "Forbidden",
      status: 403,
      detail: "The policy does not permit this call to the roles of the user.",
      reason: "rbac_denied",
      tool: "notes.erase",
    });
    expect(JSON.stringify([answer, ...response.headers])).not.toMatch(/alice|auditor|reader|polic(y|ies)\[/);
  });

  it("leaves refusals to the application on `errors: throw`", async () => {
    const handler = async () => eraseNotes();
    const { url } = await started(serve(headersExtractor, handler, { errors: "throw" }));
    const response = await fetch(`${url}/`, as("alice"));
    expect(response.status).toBe(OWN_ERROR);
    expect(await response.text()).not.toContain("notes.erase");
  });

  it("leaves other errors to the application, and ends", async () => {
    let late: (() => unknown) | undefined;
    const { url } = await started(
      serve(headersExtractor, async () => {
        late = here(() => getUserContext().userId);
        throw new Error("disk full");
      }),
    );
    expect((await fetch(`${url}/`, as("alice"))).status).toBe(OWN_ERROR);
    await setImmediate();
    expect(late?.()).toBeUndefined();
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("bad token");
      },
    ],
    ["rejects", () => Promise.reject(new Error("bad token"))],
    ["tells a user without an id", () => ({ userId: "" })],
    // The cast stands for a caller without types.
    ["tells roles that are no list", () => ({ userId: "alice", roles: "admin" as unknown as string[] })],
  ])("does not reach its handler when the extractor %s", async (_case, extract) => {
    instanceSlot("default").enforcer = undefined;
    let ran = 0;
    const { url } = await started(serve(extract, async () => (ran += 1), { errors: "throw" }));
    expect((await fetch(`${url}/`, as("alice"))).status).toBe(OWN_ERROR);
    expect(ran).toBe(0);
  });

  it("has no user when the extractor tells none, whoever is set around the server", async () => {
    const seen: unknown[] = [];
    const handler = async () => {
      seen.push(getUserContext().userId);
      return eraseNotes();
    };
    const extract = async () => {
      seen.push(getUserContext().userId);
      return undefined;
    };
    await runAs("root", { roles: ["boss"] }, async () => {
      const { url } = await started(serve(extract, handler));
      const response = await fetch(`${url}/`);
      expect(await response.json()).toMatchObject({ status: 403, reason: "no_context" });
    });
    expect(seen).toEqual([undefined, undefined]);
  });

  it("is over when it has been answered, whoever is set around the server", async () => {
    let late: (() => unknown) | undefined;
    await runAs("root", { roles: ["boss"] }, async () => {
      const { url } = await started(
        serve(headersExtractor, async () => {
          late = here(() => readNotes());
          return { read: await readNotes() };
        }),
      );
      expect(await (await fetch(`${url}/`, as("alice"))).json()).toEqual({ read: "alice" });
      await setImmediate();
      expect(getUserContext().userId).toBe("root");
      await expect(late?.()).rejects.toBeInstanceOf(NoContextError);
    });
  });

  it("is over when the client leaves", async () => {
    const entered = gate();
    const leave = gate();
    let late: (() => unknown) | undefined;
    const { url, server } = await started(
      serve(headersExtractor, async () => {
        late = here(() => getUserContext().userId);
        entered.open();
        await leave.opened;
        return null;
      }),
    );
    const closed = once(server, "connection").then(([socket]) => once(socket, "close"));
    const client = new AbortController();
    const request = fetch(`${url}/`, { ...as("alice"), signal: client.signal });
    await entered.opened;
    expect(late?.()).toBe("alice");
    client.abort();
    await expect(request).rejects.toThrow();
    await closed;
    await setImmediate();
    expect(late?.()).toBeUndefined();
    leave.open();
  });

  it("never reaches its guarded calls when the client left before its user was known", async () => {
    const asked = gate();
    const known = gate();
    const ran = gate();
    let user: unknown = "nobody asked";
    const { url, server } = await started(
      serve(
        async () => {
          asked.open();
          await known.opened;
          return { userId: "alice", roles: ["reader"] };
        },
        async () => {
          user = getUserContext().userId;
          ran.open();
          return null;
        },
      ),
    );
    const closed = once(server, "connection").then(([socket]) => once(socket, "close"));
    const client = new AbortController();
    const request = fetch(`${url}/`, { signal: client.signal });
    await asked.opened;
    client.abort();
    await expect(request).rejects.toThrow();
    await closed;
    await setImmediate();
    known.open();
    await ran.opened;
    expect(user).toBeUndefined();
  });

  it("keeps its user while the answer is streamed, and not longer", async () => {
    let late: (() => unknown) | undefined;
    const { url } = await started(
      serve(headersExtractor, async () => {
        late = here(() => getUserContext().userId);
        return (async function* () {
          for (let n = 0; n < 40; n += 1) {
            await setImmediate();
            // Larger than what the streams on the way buffer, so that the client draws.
            yield `${await readNotes()} ${"-".repeat(16_000)}\n`;
          }
        })();
      }),
    );
    const response = await fetch(`${url}/`, as("alice"));
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 40 }, () => "alice"));
    await setImmediate();
    expect(late?.()).toBeUndefined();
  });
});
