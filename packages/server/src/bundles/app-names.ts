import { Problem } from "../http/problem.js";
import type { Identity } from "../http/route.js";
import type { App, Storage } from "../storage/storage.js";

const LIMIT = 20_000;

/** Finds apps by their names. The id of a name is kept in memory: apps are neither renamed nor removed. */
export class AppNames {
  readonly #storage: Pick<Storage, "app" | "appByName">;
  readonly #ids = new Map<string, string>();

  constructor(storage: Pick<Storage, "app" | "appByName">) {
    this.#storage = storage;
  }

  /** @throws Problem 404 where the account has no such app */
  async idOf(accountId: string, name: string): Promise<string> {
    // Ids have no white space, so that two pairs never make one key.
    const key = `${accountId} ${name}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const app = await this.#storage.appByName(accountId, name);
    if (app === undefined) throw appNotFound();
    if (this.#ids.size >= LIMIT) this.#ids.clear();
    this.#ids.set(key, app.id);
    return app.id;
  }

  /**
   * The app that a tool's request is about.
   *
   * @throws Problem 403 for tokens of running apps, which have nothing to do here; 404 without a name, and where the account
   * has no such app
   */
  async forTools(identity: Identity, name: string | undefined): Promise<App> {
    refuseRuntime(identity);
    if (name === undefined) throw nameRequired();
    const app = await this.#storage.appByName(identity.accountId, name);
    if (app === undefined) throw appNotFound();
    return app;
  }
}

/** @throws Problem 403 */
export function refuseRuntime({ kind }: Identity): void {
  if (kind !== "runtime") return;
  throw new Problem(403, "token_kind", {
    detail: "a runtime token reads the published policy and sends events: use a developer token",
  });
}

export function nameRequired(): Problem {
  // The public client looks for these words.
  return new Problem(404, "app_name_required", { detail: "app_name required for non-server tokens" });
}

export function appNotFound(): Problem {
  return new Problem(404, "app_not_found", { detail: "the account has no app of this name" });
}
