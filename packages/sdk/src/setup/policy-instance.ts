import { ConfigurationError, type Plan } from "d2-core/call";
import { InstanceLog } from "../log/instance-log.js";
import type { DecisionLogState } from "../log/log-settings.js";
import type { Recording } from "../log/recorder.js";
import type { PolicyAnswer, PolicySource, PolicyText } from "../source/policy-source.js";
import { type PolicySize, sizeOf } from "../telemetry/policy-size.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import { ExpiryWarnings, earlierEnd } from "./expiry-warnings.js";
import type { Logger } from "./logger.js";
import type { PolicyEngine } from "./policy-engine.js";
import type { PolicyEvent, PolicyFacts } from "./policy-facts.js";
import { describeFault } from "./policy-fault.js";
import type { Enforcer } from "./registry.js";
import type { Settings } from "./settings.js";

export type { PolicyEvent, PolicyFacts } from "./policy-facts.js";

/** Milliseconds until a fault is looked at again and told: it may be a file that is still being written. */
const SECOND_LOOK = 300;

/** A policy, ready to be put in force. */
interface Compiled {
  readonly plan: Plan;
  readonly policy: PolicyFacts;
  /** When the document itself expires. */
  readonly documentEnds: number | undefined;
  readonly size: PolicySize;
}

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
  /** Of the bundle, which the control plane renews by itself: only its end is told. */
  readonly #bundleEnd: ExpiryWarnings;
  readonly #log: InstanceLog | undefined;
  readonly #telemetry: Telemetry | undefined;
  /** What the guards tell of their calls. */
  readonly #recording: Recording | undefined;
  readonly #listeners = new Set<(event: PolicyEvent) => void>();
  #plan: Plan | undefined;
  #policy: PolicyFacts;
  #revision: string | undefined;
  /** Loads run one after another; never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #secondLook: NodeJS.Timeout | undefined;
  /** The fault that was told last and is not mended. */
  #fault: string | undefined;
  #closed = false;

  /**
   * Begins with what the settings' source has: a policy, or none yet.
   *
   * @throws ConfigurationError, TooManyToolsError, PolicyTooLargeError, BundleExpiredError when it cannot be used
   */
  constructor(settings: Settings, engine: PolicyEngine, answer: PolicyAnswer, telemetry?: Telemetry) {
    this.instance = settings.instance;
    this.clock = settings.clock;
    this.logger = settings.logger;
    this.strict = settings.strict;
    this.#source = settings.source;
    this.#engine = engine;
    this.#limits = settings.limits;
    const expired = (at: string) =>
      this.logger.error(`the policy ${this.#title()} expired at ${at}: every call is denied`);
    this.#expiry = new ExpiryWarnings(this.clock, {
      expiring: (left, at) => {
        if (!settings.warnOfExpiry) return;
        this.logger.warn(
          `the policy ${this.#title()} expires in ${left}, at ${at}: renew \`metadata.expires\``,
        );
      },
      expired,
    });
    this.#bundleEnd = new ExpiryWarnings(this.clock, { expiring: () => undefined, expired });
    const text = "absent" in answer ? undefined : answer;
    const compiled = text === undefined ? undefined : this.#compile(text);
    this.#policy = compiled?.policy ?? this.#nothing();
    if (settings.decisionLog !== undefined) {
      this.#log = new InstanceLog(settings.decisionLog, engine, settings);
    }
    this.#telemetry = telemetry;
    this.#recording = telemetry?.witness(this.#log?.recorder) ?? this.#log?.recorder;
    if (text !== undefined && compiled !== undefined) this.#enforce(text, compiled);
    this.#source.subscribe((now) => this.#changed(now));
  }

  /** The plan in force; undefined: there is no policy, or none yet, or the instance is closed. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** The policy in force, or, once the instance is closed, the last that was; named `d2.none` where there is none. */
  get policy(): PolicyFacts {
    return this.#policy;
  }

  /** What puts calls into the decision log and tells telemetry of them; undefined: there is neither. */
  get recorder(): Recording | undefined {
    return this.#closed ? undefined : this.#recording;
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
   * @throws (as a rejection) what the constructor throws; ConfigurationError also when there is none any more
   */
  reload(): Promise<PolicyFacts> {
    return this.#inTurn(async () => {
      const answer = await this.#load();
      if (this.#closed) throw new ConfigurationError(`the instance \`${this.instance}\` is shut down`);
      if ("absent" in answer) {
        this.#drop();
        throw new ConfigurationError(`${this.#source.name} has no policy: publish one`);
      }
      this.#adopt(answer);
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
    this.#bundleEnd.stop();
    clearTimeout(this.#secondLook);
    this.#listeners.clear();
    await Promise.all([this.#source.close(), this.#log?.close(), this.#telemetry?.close()]);
  }

  #load(): Promise<PolicyAnswer> {
    this.#telemetry?.loading();
    return this.#source.load();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #changed(now: PolicyAnswer | undefined): void {
    if (this.#closed) return;
    clearTimeout(this.#secondLook);
    // What was taken back is not waited for: not for a load that is under way, nor for anything else.
    if (now !== undefined && "absent" in now) this.#drop();
    else void this.#inTurn(() => this.#look(now, false));
  }

  /** Takes up what the source has now; `again`: a fault that is found is not new, so it is told. */
  async #look(now: PolicyText | undefined, again: boolean): Promise<void> {
    let text: PolicyText | undefined;
    try {
      const answer = now ?? (await this.#load());
      if (this.#closed) return;
      if ("absent" in answer) return this.#drop();
      text = answer;
      if (text.revision === this.#revision) this.#mended();
      else this.#adopt(text);
    } catch (error) {
      if (this.#closed) return;
      const fault = describeFault(this.#engine, error, text);
      if (fault === this.#fault) return;
      if (again) return this.#refuse(error, fault);
      clearTimeout(this.#secondLook);
      this.#secondLook = setTimeout(
        () => void this.#inTurn(() => this.#look(now, true)),
        SECOND_LOOK,
      ).unref();
    }
  }

  #adopt(text: PolicyText): void {
    this.#enforce(text, this.#compile(text));
    const policy = this.#policy;
    this.logger.info(`the policy ${this.#title()} from ${policy.source} is in force`);
    this.#tell({ kind: "loaded", policy });
    this.#mended();
  }

  #enforce(text: PolicyText, { plan, policy, documentEnds, size }: Compiled): void {
    this.#log?.adopt(policy, text);
    this.#plan = plan;
    this.#policy = policy;
    this.#revision = text.revision;
    this.#expiry.follow(documentEnds);
    this.#bundleEnd.follow(text.expiresAt);
    text.adopted?.();
    this.#telemetry?.adopted(policy, size);
  }

  /** There is no policy any more. */
  #drop(): void {
    const had = this.#plan !== undefined;
    this.#plan = undefined;
    this.#policy = this.#nothing();
    this.#revision = undefined;
    this.#log?.leave(this.#engine);
    this.#telemetry?.left();
    this.#expiry.stop();
    this.#bundleEnd.stop();
    if (had) this.#tell({ kind: "revoked" });
  }

  #nothing(): PolicyFacts {
    const { policyId: name, policyVersion: version, policyDigest: digest } = this.#engine.NO_POLICY;
    const loadedAt = this.clock();
    return Object.freeze({
      name,
      version,
      digest,
      loadedAt,
      expiresAt: undefined,
      source: this.#source.name,
    });
  }

  #compile(text: PolicyText): Compiled {
    const { content, format, file, bundle } = text;
    const now = this.clock();
    const loaded = this.#engine.loadPolicy(content, { file, format, limits: this.#limits, now });
    const { document, warnings, name, version, digest, expiresAt: documentEnds } = loaded;
    const expiresAt = earlierEnd(documentEnds, text.expiresAt);
    const plan = this.#engine.compilePlan(document, { expiresAt });
    if (warnings.length > 0) {
      const source = typeof content === "string" ? content : undefined;
      this.logger.warn(this.#engine.formatDiagnostics(warnings, { text: source, file }));
    }
    const source = this.#source.name;
    const policy = { name, version, digest, loadedAt: now, expiresAt, source, bundle };
    return { plan, policy: Object.freeze(policy), documentEnds, size: sizeOf(document) };
  }

  #refuse(error: unknown, fault: string): void {
    this.#fault = fault;
    this.#telemetry?.failed(error);
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

  /** Quoted, so that no name can look like another line of the log. */
  #title(): string {
    return `${JSON.stringify(this.#policy.name)} (${this.#policy.version})`;
  }
}
