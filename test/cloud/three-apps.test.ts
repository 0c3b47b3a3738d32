import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { d2, type Ended } from "../../packages/cli/test/run-d2.js";
import { databaseKinds, testDatabases } from "../../packages/server/test/databases.js";
import { AppProcess, type Call } from "./app-process.js";
import { Plane } from "./plane.js";

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
`;

const call = (user: string, tool: string, amount = 0): Call => ({ user, role: "support", tool, amount });

describe.each(databaseKinds)("three apps under one control plane on %s", (kind) => {
  it("follow what is published and revoked, go on without the server, and tell who was denied what", {
    timeout: 120_000,
  }, async () => {
    const home = mkdtempSync(join(folder, `${kind}-`));
    const { url: databaseUrl } = await databases.fresh(kind);
    const plane = await Plane.start({ folder: home, databaseUrl, app: "shop" });
    const apps: AppProcess[] = [];
    const start = () => {
      const { url: apiUrl, tokens } = plane;
      const app = new AppProcess({ token: tokens.runtime, apiUrl, configFolder: join(home, "apps") });
      apps.push(app);
      return app;
    };
    const each = <T>(does: (app: AppProcess, index: number) => Promise<T>): Promise<T[]> =>
      Promise.all(apps.map(does));
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
      const polls = await each((app, index) => app.adopts(version, marks[index] ?? 0));
      // One may have been on its way; the next one has it.
      expect(Math.max(0, ...polls)).toBeLessThanOrEqual(1);
    };
    try {
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

      const dead = apps.map((app) => app.now);
      await plane.restart();
      await each((app, index) => app.polls([200, 304], dead[index] ?? 0));
      await publish(10, 4);
      expect(await refund(50)).toEqual(Array(4).fill("input_validation"));

      expect(await each((app) => app.end())).toEqual([0, 0, 0, 0]);
      const { stdout } = await command(["events", "--json", "--result", "denied", "--limit", "1000"]);
      console.log(stdout.slice(0, 600));
    } finally {
      await Promise.all(apps.map((app) => app.kill()));
      await plane.close();
    }
  });
});
