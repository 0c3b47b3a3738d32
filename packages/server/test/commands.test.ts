import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../src/commands/run-command.js";
import type { RotationRequest } from "../src/http/services.js";
import type { ServerParts } from "../src/server-parts.js";
import { createSettings, readSettings } from "../src/settings.js";
import { openStorage } from "../src/storage/open-storage.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "d2-commands-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const certificate = (name: string) => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));

async function run(
  args: readonly string[],
  environment: Record<string, string> = {},
  parts: Partial<ServerParts> = {},
) {
  let out = "";
  let err = "";
  const code = await runCommand(args, {
    environment: { D2_SERVER_DATA: folder, ...environment },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    onStop: (stop) => stop(),
    parts,
  });
  return { code, out, err };
}

/** A server without routes of its own, whose signing keys only note what they are asked. */
function signingParts(asked: RotationRequest[], ended: () => void = () => {}): Partial<ServerParts> {
  return {
    features: [],
    signing: async () => ({
      ready: () => true,
      keys: () => [],
      signer: () => undefined,
      rotate: async (request) => {
        asked.push(request);
        const signsFrom = Date.UTC(2030, 0, 1);
        const alg = request.alg ?? "RS256";
        return {
          kid: "k2",
          alg,
          publicJwk: "",
          sealed: "",
          createdAt: 0,
          signsFrom,
          listedUntil: null,
          rotation: null,
        };
      },
      close: async () => ended(),
    }),
  };
}

describe("d2-server", () => {
  it("explains itself, and refuses what it does not know with 2", async () => {
    const help = await run(["--help"]);
    expect(help.code).toBe(0);
    for (const name of ["start", "migrate", "bootstrap", "rotate-keys", "doctor"])
      expect(help.out).toContain(name);
    expect((await run(["fly"])).code).toBe(2);
    expect((await run(["start", "--wings"])).code).toBe(2);
    expect((await run(["rotate-keys", "--alg", "HS256"])).code).toBe(2);
  });

  it("names the settings that it cannot use, without their values", async () => {
    const { code, err } = await run(["migrate"], {
      DATABASE_URL: "mysql://user:secret@host/db",
      D2_SERVER_PORT: "many",
    });
    expect(code).toBe(2);
    expect(err).toContain("`DATABASE_URL`: must begin with postgres://");
    expect(err).toContain("`D2_SERVER_PORT`");
    expect(err).not.toMatch(/secret|many/);
  });

  it("ends with 3 when the database is out of reach, and does not show its password", async () => {
    const { code, err } = await run(["migrate"], { DATABASE_URL: "postgres://u:secret@127.0.0.1:1/db" });
    expect(code).toBe(3);
    expect(err).toContain("cannot reach the database");
    expect(err).not.toContain("secret");
  });
});

describe("migrate", () => {
  it("makes the database, and has nothing to do the second time", async () => {
    expect((await run(["migrate"])).out).toMatch(/^schema 0 -> \d+: /);
    expect((await run(["migrate"])).out).toMatch(/up to date/);
    expect(JSON.parse((await run(["migrate", "--json"])).out)).toMatchObject({ applied: [] });
  });
});

describe("bootstrap", () => {
  it("makes an account, an app and a token of each kind, and prints them once", async () => {
    const { code, out } = await run(["bootstrap", "--app", "shop", "--json"]);
    expect(code).toBe(0);
    const made = JSON.parse(out);
    expect(made).toMatchObject({
      account_id: expect.stringMatching(/^acc_[a-z2-7]{20}$/),
      app_name: "shop",
      tokens: {
        runtime: expect.stringMatching(/^d2r_/),
        developer: expect.stringMatching(/^d2d_/),
        admin: expect.stringMatching(/^d2a_/),
      },
    });
    const storage = await openStorage({ url: undefined, file: join(folder, "d2.sqlite") });
    const tokens = await storage.tokens(made.account_id);
    await storage.close();
    expect(tokens.map(({ kind, appId }) => [kind, appId]).sort()).toEqual([
      ["admin", null],
      ["developer", null],
      ["runtime", made.app_id],
    ]);
    expect(JSON.stringify(tokens)).not.toContain(made.tokens.admin);
  });

  it("refuses a second time with 1, unless another account is meant", async () => {
    await run(["bootstrap"]);
    const second = await run(["bootstrap"]);
    expect([second.code, second.out]).toEqual([1, ""]);
    expect(second.err).toContain("--another");
    expect((await run(["bootstrap", "--another"])).code).toBe(0);
  });

  it("keeps its folder to its user, and takes no impossible name", async () => {
    const data = join(folder, "new");
    expect((await run(["bootstrap", "--data", data, "--app", "a b"])).code).toBe(2);
    expect(existsSync(data)).toBe(false);
    await run(["bootstrap", "--data", data]);
    expect(statSync(data).mode & 0o777).toBe(0o700);
  });
});

describe("start", () => {
  it("serves until it is told to stop, and ends everything that it began", async () => {
    const ended: string[] = [];
    const parts = signingParts([], () => ended.push("signing"));
    expect(await run(["start", "--port", "0", "--log-level", "silent"], {}, parts)).toEqual({
      code: 0,
      out: "",
      err: "",
    });
    expect(ended).toEqual(["signing"]);
  });

  it("ends with 3 and advice when the port is taken, and leaves nothing open", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const ended: string[] = [];
    const parts = signingParts([], () => ended.push("signing"));
    const { code, err } = await run(["start", "--port", port, "--log-level", "silent"], {}, parts);
    other.close();
    expect([code, err, ended]).toEqual([
      3,
      expect.stringContaining("choose another with `--port`"),
      ["signing"],
    ]);
  });

  it("refuses a database that was not migrated when it may not do so itself", async () => {
    const { code, err } = await run(["start", "--port", "0", "--no-migrate", "--log-level", "silent"]);
    expect([code, err]).toEqual([3, expect.stringContaining("d2-server migrate")]);
  });
});

describe("rotate-keys", () => {
  it("asks for a key as it was told to, and says when it signs", async () => {
    await run(["migrate"]);
    const asked: RotationRequest[] = [];
    const parts = signingParts(asked);
    const { code, out } = await run(
      ["rotate-keys", "--immediate", "--alg", "EdDSA", "--reason", "a leak"],
      {},
      parts,
    );
    expect([code, out]).toEqual([
      0,
      "the key k2 (EdDSA) is listed now and signs from 2030-01-01T00:00:00.000Z\n",
    ]);
    expect(JSON.parse((await run(["rotate-keys", "--json"], {}, parts)).out)).toMatchObject({ kid: "k2" });
    expect(asked).toEqual([
      { immediate: true, alg: "EdDSA", reason: "a leak" },
      { immediate: false, alg: undefined, reason: undefined },
    ]);
  });

  it("takes no reason that could not stand in a header", async () => {
    expect((await run(["rotate-keys", "--reason", "a\r\nb"])).code).toBe(2);
  });
});

describe("doctor", () => {
  const findings = async (args: readonly string[] = [], environment: Record<string, string> = {}) => {
    const { code, out } = await run(["doctor", "--json", ...args], environment);
    const found: { name: string; ok: boolean; says: string }[] = JSON.parse(out).findings;
    return { code, wrong: found.filter(({ ok }) => !ok).map(({ name, says }) => `${name}: ${says}`) };
  };

  it("is content with a new installation", async () => {
    await run(["bootstrap"]);
    expect(await findings()).toEqual({ code: 0, wrong: [] });
    expect((await run(["doctor"])).out).toContain("ok     database: answers\n");
  });

  it("changes nothing where there is nothing, and says what to run", async () => {
    const data = join(folder, "nothing");
    const { code, wrong } = await findings(["--data", data]);
    expect([code, wrong]).toEqual([
      1,
      [expect.stringContaining("database: not made yet: `d2-server migrate`")],
    ]);
    expect(existsSync(data)).toBe(false);
  });

  it("misses an account", async () => {
    await run(["migrate"]);
    expect((await findings()).wrong).toEqual(["accounts: none yet: run `d2-server bootstrap`"]);
  });

  it("finds a key that others may read, and one that is none", async () => {
    await run(["bootstrap"]);
    writeFileSync(join(folder, "server.key"), "x".repeat(44));
    chmodSync(join(folder, "server.key"), 0o644);
    expect((await findings()).wrong).toEqual([
      expect.stringMatching(/^server key: others may read .*chmod 600/),
    ]);
    const { wrong } = await findings([], { D2_SERVER_KEY: "c2VjcmV0" });
    expect(wrong).toEqual([expect.stringMatching(/^server key: D2_SERVER_KEY must be base64 of 32 bytes/)]);
    expect(wrong.join("")).not.toContain("c2VjcmV0");
  });

  it("finds a certificate without its key", async () => {
    await run(["bootstrap"]);
    const tls = (key: string) => ({
      D2_SERVER_TLS_CERT: certificate("localhost.crt"),
      D2_SERVER_TLS_KEY: certificate(key),
    });
    expect((await findings([], tls("localhost.key"))).wrong).toEqual([]);
    expect((await findings([], tls("other.key"))).wrong).toEqual([
      expect.stringContaining("does not belong"),
    ]);
    expect((await findings([], tls("missing.key"))).wrong).toEqual([expect.stringContaining("ENOENT")]);
  });

  it("finds a clock that is behind what the database has seen", async () => {
    await run(["bootstrap"]);
    const storage = await openStorage({ url: undefined, file: join(folder, "d2.sqlite") });
    await storage.createAccount({ id: "acc_later", name: "", plan: "", createdAt: Date.UTC(2200, 0) });
    await storage.close();
    expect((await findings()).wrong).toEqual([expect.stringMatching(/^clock: \d+ s behind/)]);
  });
});

describe("settings", () => {
  it("come from the environment, with flags over them; empty variables are not set", () => {
    const environment = {
      D2_SERVER_PORT: "9000",
      D2_SERVER_HOST: "",
      D2_SERVER_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      D2_SERVER_METRICS_NEED_TOKEN: "1",
      D2_SERVER_PLANS: '{"free":{"max_apps":1}}',
    };
    expect(readSettings(environment, { port: 9001, host: undefined })).toMatchObject({
      port: 9001,
      host: "127.0.0.1",
      trustedProxies: ["10.0.0.0/8", "::1"],
      metricsNeedToken: true,
      plans: { free: { max_apps: 1 } },
      databaseFile: join("d2-data", "d2.sqlite"),
    });
  });

  it.each([
    [{ trustedProxies: ["nowhere"] }, "D2_SERVER_TRUSTED_PROXIES"],
    [{ plans: '{"free":{"max_aps":1}}' }, "D2_SERVER_PLANS"],
    [{ plans: "{" }, "D2_SERVER_PLANS"],
    [{ pollSeconds: 0 }, "D2_SERVER_POLL_SECONDS"],
    [{ tlsCert: "a.pem" }, "--tls-key"],
  ])("that cannot be used are named: %j", (input, name) => {
    expect(() => createSettings(input)).toThrow(name);
  });
});
