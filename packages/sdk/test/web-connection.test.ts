import { Agent, get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { d2Guard, getUserContext } from "../src/index.js";
import { instanceSlot } from "../src/setup/registry.js";
import { headersExtractor } from "../src/web/extractor.js";
import { enforce } from "./enforce.js";
import { type Running, servers } from "./web-servers.js";

const readNotes = d2Guard("notes.read", () => getUserContext().userId);

const named = (user: string) => ({ "x-d2-user": user, "x-d2-roles": "reader" });

const running: Running[] = [];

/** A server that is closed after the test. */
async function started(server: Promise<Running>): Promise<Running> {
  const it = await server;
  running.push(it);
  return it;
}

beforeEach(() => enforce([{ role: "reader", permissions: ["notes.read"] }]));

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
  instanceSlot("default").enforcer = undefined;
});

describe.each(Object.entries(servers))("a request in %s", (_framework, serve) => {
  it("is alone on a connection that is used again", async () => {
    const { url } = await started(
      serve(headersExtractor, async () => ({
        user: getUserContext().userId ?? "nobody",
        history: getUserContext().callHistory ?? [],
        called: readNotes(),
      })),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (headers: Record<string, string>) => {
      const [answer]: [IncomingMessage] = await new Promise((resolve) => {
        get(`${url}/`, { agent, headers }, (response) => resolve([response]));
      });
      return { port: answer.socket.localPort, body: JSON.parse(await text(answer)) };
    };
    const first = await ask(named("alice"));
    const none = await ask({});
    const second = await ask(named("bob"));
    agent.destroy();
    expect([first.body, second.body]).toEqual([
      { user: "alice", history: [], called: "alice" },
      { user: "bob", history: [], called: "bob" },
    ]);
    expect(none.body).toMatchObject({ status: 403, reason: "no_context", tool: "notes.read" });
    expect(new Set([first.port, none.port, second.port]).size).toBe(1);
  });

  it("takes no user from repeated or folded headers", async () => {
    const { url } = await started(
      serve(headersExtractor, async () => ({
        user: getUserContext().userId ?? null,
        roles: getUserContext().roles ?? [],
      })),
    );
    const ask = async (headers: Record<string, string | string[]>) => {
      const [answer]: [IncomingMessage] = await new Promise((resolve) => {
        get(`${url}/`, { headers }, (response) => resolve([response]));
      });
      return JSON.parse(await text(answer));
    };
    const nobody = { user: null, roles: [] };
    expect(await ask({ "X-D2-User": "alice", "X-D2-Roles": " a ,, b," })).toEqual({
      user: "alice",
      roles: ["a", "b"],
    });
    expect(await ask({ "x-d2-user": ["alice", "mallory"] })).toEqual(nobody);
    expect(await ask({ "x-d2-user": ["alice", "alice"] })).toEqual(nobody);
    expect(await ask({ "x-d2-user": "alice, mallory" })).toEqual(nobody);
    expect(await ask({ "x-d2-user": "alice", "x-d2-roles": ["a", "admin"] })).toEqual(nobody);
    expect(await ask({ "x-d2-user": "  " })).toEqual(nobody);
    expect(await ask({ "x-d2-roles": "admin" })).toEqual(nobody);
  });
});
