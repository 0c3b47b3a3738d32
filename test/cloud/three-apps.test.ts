import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { d2, type Ended } from "../../packages/cli/test/run-d2.js";
import { databaseKinds, testDatabases } from "../../packages/server/test/databases.js";
import { AppProcess, type Call } from "./app-process.js";
import { Plane } from "./plane.js";
import { ask, Publisher } from "./publisher.js";

// Everything here is a process of its own, as built: the servers, the command, the apps.

const databases = testDatabases();
const folder = mkdtempSync(join(tmpdir(), "d2-three-apps-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const policy = (most: number) => `version: 1
metadata:
  name: shop
policies:
  - role: support
    permissions:
      - orders.read
      - tool: payments.refund
        conditions:
          input:
            amount: { required: true, type: int, max: ${most} }
  - role: lead
    permissions: ["*"]
`;

const call = (user: string, tool: string, amount = 0): Call => ({ user, role: "support", tool, amount });

/** User, tool and reason of each event that `d2 events --json` has printed. */
function denials(printed: string): unknown[][] {
  const { events }: { events: { payload: Record<string, unknown> }[] } = JSON.parse(printed);
  return events.map(({ payload }) => [payload["user_id"], payload["tool_id"], payload["reason"]]);
}

describe.each(databaseKinds)("three apps under one control plane on %s", (kind) => {
  it("follow what is published and revoked, go on without the server, and tell who was denied what", {
    timeout: 240_000,
  }, async () => {
    const home = mkdtempSync(join(folder, `${kind}-`));
    const { url: databaseUrl } = await databases.fresh(kind);
    const plane = await Plane.start({ folder: home, databaseUrl, app: "shop" });
    const apps: AppProcess[] = [];
    onTestFinished(async () => {
      await Promise.all(apps.map((app) => app.kill()));
      await plane.close();
    });
    const start = () => {
      const { url: apiUrl, tokens } = plane;
      const app = new AppProcess({ token: tokens.runtime, apiUrl, configFolder: join(home, "apps") });
      apps.push(app);
      return app;
    };
    const each = <T>(
      does: (app: AppProcess, index: number) => Promise<T>,
      of: readonly AppProcess[] = apps,
    ): Promise<T[]> => Promise.all(of.map(does));
    const command = async (args: readonly string[], input?: string): Promise<Ended> => {
      const env = { XDG_CONFIG_HOME: join(home, "command") };
      const ended = await d2(args, { cwd: home, env, ...(input === undefined ? {} : { input }) });
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      return ended;
    };
    const publish = async (most: number, version: number) => {
      writeFileSync(join(home, "policy.yaml"), policy(most));
      const { stdout } = await command(["publish", "policy.yaml", "--force"]);
      expect(stdout).toContain(`version ${version} of \`shop\` is live`);
      const marks = apps.map((app) => app.now);
      const polls = await each((app, index) => app.adopts(version, marks[index] ?? 0), apps.slice(0, 3));
      // One may have been on its way; the next one has it.
      expect(Math.max(0, ...polls)).toBeLessThanOrEqual(1);
    };
    await command(["login", "--api-url", plane.url], plane.tokens.developer);
    await publish(100, 1);
    for (let count = 0; count < 3; count++) start();
    expect(await each((app) => app.version())).toEqual([1, 1, 1]);
    const refund = (amount: number) =>
      each((app, index) => app.call(call(`ann-${index}`, "payments.refund", amount)));
    expect(await refund(50)).toEqual(["allow", "allow", "allow"]);

    await publish(10, 2);
    expect(await refund(50)).toEqual(Array(3).fill("input_validation"));

    const marks = apps.map((app) => app.now);
    await command(["revoke", "--force"]);
    await each((app, index) => app.isRevoked(marks[index] ?? 0));
    expect(await refund(5)).toEqual(Array(3).fill("policy_unavailable"));

    await publish(100, 3);
    expect(await refund(50)).toEqual(["allow", "allow", "allow"]);

    await plane.kill();
    const killed = apps.map((app) => app.now);
    await each((app, index) => app.polls([0], killed[index] ?? 0));
    expect(await refund(50)).toEqual(["allow", "allow", "allow"]);
    const offline = start();
    expect(await offline.version()).toBe(3);
    expect(offline.errors).toContain("which an earlier run has left in the state file, is in force");
    expect(await each((app, index) => app.call(call(`bob-${index}`, "orders.delete")))).toEqual(
      Array(4).fill("rbac_denied"),
    );
    expect(await refund(50)).toEqual(Array(4).fill("allow"));

    // The one that began offline has not heard how often to ask; the others have.
    const three = apps.slice(0, 3);
    const dead = three.map((app) => app.now);
    await plane.restart();
    await each((app, index) => app.polls([304], dead[index] ?? 0), three);
    await publish(10, 4);
    const after = (app: AppProcess, index: number) => app.call(call(`cy-${index}`, "payments.refund", 50));
    expect(await each(after, three)).toEqual(Array(3).fill("input_validation"));

    expect(await each((app) => app.end())).toEqual([0, 0, 0, 0]);
    const { stdout } = await command(["events", "--json", "--type", "authz_decision", "--result", "denied"]);
    const of = (user: string, tool: string, reason: string, count: number) =>
      Array.from({ length: count }, (_, index) => [`${user}-${index}`, tool, reason]);
    expect(denials(stdout).sort()).toEqual(
      [
        ...of("ann", "payments.refund", "input_validation", 3),
        ...of("ann", "payments.refund", "policy_unavailable", 3),
        // While the server was gone, one by an app that began in that time.
        ...of("bob", "orders.delete", "rbac_denied", 4),
        ...of("cy", "payments.refund", "input_validation", 3),
      ].sort(),
    );
  });
});

describe("two servers on one PostgreSQL", () => {
  it("serve what the other has published, and let one of two publish at once", {
    timeout: 240_000,
  }, async () => {
    const home = mkdtempSync(join(folder, "two-"));
    const { url: databaseUrl } = await databases.fresh("postgres");
    const plane = await Plane.start({ folder: home, databaseUrl, app: "shop" });
    onTestFinished(() => plane.close());
    const [one = "", other = ""] = plane.urls;
    const { developer, runtime } = plane.tokens;
    const publishers = [new Publisher("shop", developer), new Publisher("shop", developer)] as const;
    for (const publisher of publishers) await publisher.register(plane.url);
    const served = async (url: string) =>
      (await ask(url, "/v1/policy/bundle", { token: runtime })).body["version"];

    for (let version = 1; version <= 20; version += 2) {
      const text = (who: string) => `# ${who} ${version}\n${policy(version)}`;
      const alone = await publishers[0].publish(one, publishers[0].sign(text("alone"), version - 1));
      expect(alone.body).toMatchObject({ version });
      expect(await served(one)).toBe(version);
      await until(async () => (await served(other)) === version);

      const answers = await Promise.all([
        publishers[0].publish(one, publishers[0].sign(text("first"), version)),
        publishers[1].publish(other, publishers[1].sign(text("second"), version)),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 412]);
      const winner = answers.find(({ status }) => status === 201)?.body["content_sha256"];
      const path = `/v1/policy/versions/${version + 1}?app_name=shop`;
      const { body } = await ask(plane.url, path, { token: developer });
      expect(body["content_sha256"]).toBe(winner);
      await until(async () => (await served(one)) === version + 1 && (await served(other)) === version + 1);
    }
    expect(Math.min(...plane.shares)).toBeGreaterThan(0);
  });
});

/** Looks again and again, with a limit that only a server which has not heard of it reaches. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 500; looks++) {
    if (await isSo()) return;
    await pause(10);
  }
  throw new Error("what was waited for has not come");
}
