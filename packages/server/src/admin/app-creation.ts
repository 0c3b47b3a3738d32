import { Problem } from "../http/problem.js";
import type { Settings } from "../settings.js";
import type { App, Storage } from "../storage/storage.js";
import { newId } from "./id.js";
import { planNamed } from "./plan.js";

interface AppMaking {
  readonly storage: Storage;
  readonly settings: Settings;
  readonly clock: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** One after the other for each account, so that two requests cannot both take the last place that a plan has. */
export class AppCreation {
  readonly #making: AppMaking;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(making: AppMaking) {
    this.#making = making;
  }

  /** @throws Problem 403 when the plan has no room, 409 when the name is taken */
  create(accountId: string, name: string): Promise<App> {
    const before = this.#last.get(accountId) ?? Promise.resolve();
    const next = before.then(() => createApp(this.#making, accountId, name));
    const settled = next.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(accountId, settled);
    void settled.then(() => {
      if (this.#last.get(accountId) === settled) this.#last.delete(accountId);
    });
    return next;
  }

  /** The app of that name, made if it is not there. @throws Problem 403 when the plan has no room */
  async obtain(accountId: string, name: string): Promise<App> {
    const { storage } = this.#making;
    const there = await storage.appByName(accountId, name);
    if (there !== undefined) return there;
    try {
      return await this.create(accountId, name);
    } catch (error) {
      // Somebody else may have made it in the meantime.
      const made = await storage.appByName(accountId, name);
      if (made === undefined) throw error;
      return made;
    }
  }
}

async function createApp(making: AppMaking, accountId: string, name: string): Promise<App> {
  const { storage, settings, clock, randomBytes } = making;
  if ((await storage.appByName(accountId, name)) !== undefined) throw taken();
  const account = await storage.account(accountId);
  const { max_apps: most } = planNamed(settings, account?.plan ?? "");
  if (most !== undefined && (await storage.countApps(accountId)) >= most) {
    throw new Problem(403, "quota_apps_exceeded", {
      detail: `quota_apps_exceeded: the plan has room for ${most} apps`,
    });
  }
  const app: App = {
    id: newId("app", randomBytes),
    accountId,
    name,
    createdAt: clock(),
    currentVersion: 0,
    revokedAt: null,
  };
  if (!(await storage.createApp(app))) throw taken();
  return app;
}

function taken(): Problem {
  return new Problem(409, "app_exists", { detail: "the account has an app of this name" });
}
