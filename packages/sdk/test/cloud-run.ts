import { onTestFinished } from "vitest";
import { readCloudSettings } from "../src/cloud/cloud-settings.js";
import { CloudSource } from "../src/cloud/cloud-source.js";
import type { Later } from "../src/setup/expiry-warnings.js";
import { loadEngine } from "../src/setup/policy-engine.js";
import { PolicyManager } from "../src/setup/policy-instance.js";
import { type FakeControlPlane, TOKEN } from "./fake-control-plane.js";
import { LogBook } from "./policy-folder.js";

/** Timers that go off when the test says so. */
export class Timers {
  readonly waits: number[] = [];
  readonly #pending = new Set<{ readonly work: () => void }>();
  #set: (() => void) | undefined;

  readonly later: Later = (milliseconds, work) => {
    this.waits.push(milliseconds);
    const entry = { work };
    this.#pending.add(entry);
    this.#set?.();
    this.#set = undefined;
    return () => this.#pending.delete(entry);
  };

  get count(): number {
    return this.#pending.size;
  }

  /** The next time that one is set. */
  set(): Promise<void> {
    return new Promise((resolve) => {
      this.#set = resolve;
    });
  }

  /** Has every one that is pending go off. */
  fire(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const { work } of pending) work();
  }
}

export interface RunOptions {
  readonly state?: string;
  readonly pins?: readonly string[];
  readonly token?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly maxBytes?: number;
  readonly random?: () => number;
}

/** An app in cloud mode, with a clock and timers of the test's. */
export class CloudRun {
  readonly log = new LogBook();
  readonly polls = new Timers();
  readonly timeouts = new Timers();
  readonly source: CloudSource;
  now = Date.UTC(2026, 5, 1);
  manager: PolicyManager | undefined;

  constructor(plane: FakeControlPlane, options: RunOptions = {}) {
    const { state = ":memory:", pins, token = TOKEN, environment = {} } = options;
    const settings = readCloudSettings(
      { token, apiUrl: plane.url, pinJwksThumbprints: pins },
      { ...environment, D2_STATE_PATH: state },
    );
    if (settings === undefined) throw new Error("there is a token");
    this.source = new CloudSource(settings, {
      logger: this.log,
      clock: () => this.now,
      maxBytes: options.maxBytes ?? 8 * 1024 * 1024,
      later: this.polls.later,
      timeout: this.timeouts.later,
      random: options.random ?? (() => 0.5),
    });
    onTestFinished(() => this.end());
  }

  /** Begins as `configureRbac` does. */
  async begin(): Promise<PolicyManager> {
    const engine = await loadEngine();
    const answer = await this.source.load();
    const settings = {
      instance: "cloud",
      source: this.source,
      hidden: [],
      logger: this.log,
      notice: undefined,
      warnOfExpiry: true,
      limits: {},
      strict: false,
      clock: () => this.now,
    };
    this.manager = new PolicyManager(settings, engine, answer);
    return this.manager;
  }

  /** Polls once, and waits until what came of it is in force. */
  async poll(): Promise<void> {
    const done = this.polls.set();
    this.polls.fire();
    await done;
    // The manager takes up what it is told in a few microtasks.
    await new Promise((resolve) => setImmediate(resolve));
  }

  get policy(): string | undefined {
    return this.manager?.plan === undefined ? undefined : this.manager.policy.name;
  }

  /** Every line that people see. */
  get told(): readonly string[] {
    return this.log.lines
      .filter(({ level }) => level !== "info")
      .map(({ level, message }) => `${level} ${message}`);
  }

  async end(): Promise<void> {
    await (this.manager?.close() ?? this.source.close());
  }
}

/** What a load was refused with. */
export async function refusal(run: CloudRun): Promise<Error> {
  const outcome = await run.begin().catch((error: unknown) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error("it was not refused");
}
