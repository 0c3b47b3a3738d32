import type { Plan, Settings } from "../settings.js";
import type { Storage } from "../storage/storage.js";
import { planNamed } from "./plan.js";

const LIMIT = 20_000;

/** The plans of accounts, in memory, for what is asked all the time. */
export class AccountPlans {
  readonly #storage: Pick<Storage, "account" | "watch">;
  readonly #settings: Settings;
  readonly #plans = new Map<string, Plan>();
  readonly #stop: () => void;
  #changes = 0;

  constructor({ storage, settings }: { readonly storage: Storage; readonly settings: Settings }) {
    this.#storage = storage;
    this.#settings = settings;
    this.#stop = storage.watch((change) => {
      if (change.kind !== "account") return;
      this.#changes++;
      this.#plans.delete(change.id);
    });
  }

  close(): void {
    this.#stop();
  }

  /** The limits of the account's plan; none where there is no such account. */
  async of(accountId: string): Promise<Plan> {
    return this.#plans.get(accountId) ?? this.#read(accountId);
  }

  async #read(accountId: string): Promise<Plan> {
    const changes = this.#changes;
    const account = await this.#storage.account(accountId);
    const plan = planNamed(this.#settings, account?.plan ?? "");
    if (this.#plans.size >= LIMIT) this.#plans.clear();
    if (account !== undefined && changes === this.#changes) this.#plans.set(accountId, plan);
    return plan;
  }
}
