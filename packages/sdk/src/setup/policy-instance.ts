import { ConfigurationError, type Plan } from "d2-core/call";
import { InstanceLog } from "../log/instance-log.js";
import type { DecisionLogState } from "../log/log-settings.js";
import type { Recorder } from "../log/recorder.js";
import type { PolicySource, PolicyText } from "../source/policy-source.js";
import { ExpiryWarnings } from "./expiry-warnings.js";
import type { Logger } from "./logger.js";
import type { PolicyEngine } from "./policy-engine.js";
import type { Enforcer } from "./registry.js";
import type { Settings } from "./settings.js";

/** Milliseconds until a fault is looked at again and told: it may be a file that is still being written. */
const SECOND_LOOK = 300;

/** What is known of a policy in force. */
export interface PolicyFacts {
  /** `metadata.name`, or `unnamed`. */
  readonly name: string;
  /** `sha256:` and the beginning of the digest. */
  readonly version: string;
  /** Of the normalised document: 64 lower-case hex digits. */
  readonly digest: string;
  /** Milliseconds since 1970-01-01T00:00:00Z, by the instance's clock. */
  readonly loadedAt: number;
  /** The same; undefined: it does not expire. */
  readonly expiresAt: number | undefined;
  /** The file, relative to the folder in which the process started where it is inside of it; or what else it is. */
  readonly source: string;
}

/** What happens to the policy of an instance. */
export type PolicyEvent =
  | { readonly kind: "loaded"; readonly policy: PolicyFacts }
  /** The source has nothing usable; the policy of before stays in force. Told once for one fault. */
  | { readonly kind: "refused"; readonly error: unknown }
  /** The source is usable again after that; if it has another policy than before, `loaded` came first. */
  | { readonly kind: "mended" };

/** A named instance: the policy in force, kept up to date from its source. */
export class PolicyManager implements Enforcer {
  readonly instance: string;
  readonly clock: () => number;
  readonly logger: Logger;
  readonly strict: boolean;
  readonly #source: PolicySource;
  readonly #engine: PolicyEngine;
  readonly #limits: Settings["limits"];
  readonly #expiry: ExpiryWarnings;
  readonly #log: InstanceLog | undefined;
  readonly #listeners = new Set<(event: PolicyEvent) => void>();
  #plan: Plan | undefined;
  #policy: PolicyFacts;
  #revision: string;
  /** Loads run one after another; never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #secondLook: NodeJS.Timeout | undefined;
  /** The fault that was told last and is not mended. */
  #fault: string | undefined;
  #closed = false;

  /**
   * Begins with a policy from the settings' source.
   *
   * @throws ConfigurationError, TooManyToolsError, PolicyTooLargeError, BundleExpiredError when it cannot be used
   */
  constructor(settings: Settings, engine: PolicyEngine, text: PolicyText) {
    this.instance = settings.instance;
    this.clock = settings.clock;
    this.logger = settings.logger;
    this.strict = settings.strict;
    this.#source = settings.source;
    this.#engine = engine;
    this.#limits = settings.limits;
    this.#expiry = new ExpiryWarnings(this.clock, {
      expiring: (left, at) => {
        if (settings.warnOfExpiry) this.#warnOfExpiry(left, at);
      },
      expired: (at) =>
        this.logger.error(`the policy ${this.#title()} expired at ${at}: every call is denied`),
    });
    const { plan, policy } = this.#compile(text);
    this.#plan = plan;
    this.#policy = policy;
    this.#revision = text.revision;
    if (settings.decisionLog !== undefined) {
      this.#log = new InstanceLog(settings.decisionLog, engine, settings);
      this.#log.adopt(policy, text);
    }
    this.#expiry.follow(policy.expiresAt);
    this.#source.subscribe(() => this.#changed());
  }

  /** The plan in force; undefined once the instance is closed. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** The policy in force, or, once the instance is closed, the last that was. */
  get policy(): PolicyFacts {
    return this.#policy;
  }

  /** What puts calls into the decision log; undefined: there is none. */
  get recorder(): Recorder | undefined {
    return this.#closed ? undefined : this.#log?.recorder;
  }

  /** How the decision log is doing; undefined: there is none. */
  get decisionLog(): DecisionLogState | undefined {
    return this.#log?.recorder.log.state;
  }

  /**
   * Writes what waits for the decision log, so that it survives a loss of power.
   *
   * @throws (as a rejection) when that does not work
   */
  async flushDecisionLog(): Promise<void> {
    await this.#log?.recorder.log.flush();
  }

  /** Whether the instance was shut down, or replaced by another of its name. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Loads the policy now, changed or not, and puts it in force. A policy that cannot be used changes nothing.
   *
   * @throws (as a rejection) what the constructor throws
   */
  reload(): Promise<PolicyFacts> {
    return this.#inTurn(async () => {
      const text = await this.#source.load();
      if (this.#closed) throw new ConfigurationError(`the instance \`${this.instance}\` is shut down`);
      this.#adopt(text);
      return this.#policy;
    });
  }

  /** Has `listener` told what happens to the policy. Answers with what ends that. */
  onChange(listener: (event: PolicyEvent) => void): () => void {
    // A function of its own, so that one listener given twice can be taken away once.
    const entry = (event: PolicyEvent) => listener(event);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Ends the instance: its guards deny every call. Calling it again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#plan = undefined;
    this.#expiry.stop();
    clearTimeout(this.#secondLook);
    this.#listeners.clear();
    await Promise.all([this.#source.close(), this.#log?.close()]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #changed(): void {
    if (this.#closed) return;
    clearTimeout(this.#secondLook);
    void this.#inTurn(() => this.#look(false));
  }

  /** Takes up what the source has now; `again`: a fault that is found is not new, so it is told. */
  async #look(again: boolean): Promise<void> {
    let text: PolicyText | undefined;
    try {
      text = await this.#source.load();
      if (this.#closed) return;
      if (text.revision === this.#revision) this.#mended();
      else this.#adopt(text);
    } catch (error) {
      if (this.#closed) return;
      const fault = this.#describe(error, text);
      if (fault === this.#fault) return;
      if (again) return this.#refuse(error, fault);
      clearTimeout(this.#secondLook);
      this.#secondLook = setTimeout(() => void this.#inTurn(() => this.#look(true)), SECOND_LOOK).unref();
    }
  }

  #adopt(text: PolicyText): void {
    const { plan, policy } = this.#compile(text);
    this.#log?.adopt(policy, text);
    this.#plan = plan;
    this.#policy = policy;
    this.#revision = text.revision;
    this.#expiry.follow(policy.expiresAt);
    this.logger.info(`the policy ${this.#title()} from ${policy.source} is in force`);
    this.#tell({ kind: "loaded", policy });
    this.#mended();
  }

  #compile(text: PolicyText): { readonly plan: Plan; readonly policy: PolicyFacts } {
    const { content, format, file } = text;
    const now = this.clock();
    const options = { file, format, limits: this.#limits, now };
    const { document, warnings, name, version, digest, expiresAt } = this.#engine.loadPolicy(
      content,
      options,
    );
    const plan = this.#engine.compilePlan(document, { expiresAt });
    if (warnings.length > 0) {
      const source = typeof content === "string" ? content : undefined;
      this.logger.warn(this.#engine.formatDiagnostics(warnings, { text: source, file }));
    }
    const policy = { name, version, digest, loadedAt: now, expiresAt, source: this.#source.name };
    return { plan, policy: Object.freeze(policy) };
  }

  #describe(error: unknown, text: PolicyText | undefined): string {
    if (error instanceof ConfigurationError && error.diagnostics.length > 0) {
      const source = typeof text?.content === "string" ? text.content : undefined;
      return `\n\n${this.#engine.formatDiagnostics(error.diagnostics, { text: source, file: text?.file })}`;
    }
    return ` ${error instanceof Error ? error.message : "it cannot be read"}`;
  }

  #refuse(error: unknown, fault: string): void {
    this.#fault = fault;
    this.logger.error(
      `${this.#source.name} has no usable policy, and ${this.#title()} stays in force until it has:${fault}`,
    );
    this.#tell({ kind: "refused", error });
  }

  #mended(): void {
    clearTimeout(this.#secondLook);
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.logger.warn(`${this.#source.name} is mended: ${this.#title()} is in force`);
    this.#tell({ kind: "mended" });
  }

  #tell(event: PolicyEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch {
        this.logger.error("a listener to changes of the policy threw: what it threw is not shown");
      }
    }
  }

  #warnOfExpiry(left: string, at: string): void {
    this.logger.warn(`the policy ${this.#title()} expires in ${left}, at ${at}: renew \`metadata.expires\``);
  }

  /** Quoted, so that no name can look like another line of the log. */
  #title(): string {
    return `${JSON.stringify(this.#policy.name)} (${this.#policy.version})`;
  }
}
