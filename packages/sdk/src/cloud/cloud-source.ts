import { ConfigurationError, D2Error, PolicyError } from "d2-core/call";
import type { Later } from "../setup/expiry-warnings.js";
import type { Logger } from "../setup/logger.js";
import { nodeCrypto } from "../setup/node-crypto.js";
import type { PolicyAnswer, PolicySource, PolicyText, SourceNews } from "../source/policy-source.js";
import { runStepsBlocking } from "./blocking-thread.js";
import { CloudMemory } from "./cloud-memory.js";
import type { CloudSettings } from "./cloud-settings.js";
import { Conversation, type Outcome } from "./conversation.js";
import { Pace } from "./pace.js";
import { runSteps } from "./steps.js";
import type { Bundle } from "./verify-bundle.js";

/** What a cloud source needs besides its settings. */
export interface CloudSourceOptions {
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The largest policy, in bytes. */
  readonly maxBytes: number;
  /** Waits for the next poll. Default: the system's timers. */
  readonly later?: Later | undefined;
  /** Ends what takes too long, and waits before a second try. Default: the system's timers. */
  readonly timeout?: Later | undefined;
  /** From 0 to 1; spreads polls. */
  readonly random?: (() => number) | undefined;
}

/** Failures one after another after which it is told that they go on. */
const STALE = 5;

const systemLater: Later = (milliseconds, work) => {
  const timer = setTimeout(work, milliseconds).unref();
  return () => clearTimeout(timer);
};

/** A policy from a control plane, which is asked again and again. */
export class CloudSource implements PolicySource {
  readonly name: string;
  readonly #logger: Logger;
  readonly #clock: () => number;
  readonly #later: Later;
  readonly #timeout: Later;
  readonly #memory: CloudMemory;
  readonly #conversation: Conversation;
  readonly #pace: Pace;
  readonly #listeners = new Set<(answer?: PolicyAnswer) => void>();
  readonly #ending = new AbortController();
  /** The bundle in force. */
  #held: Bundle | undefined;
  #begun = false;
  /** Whether it was taken back, and none has come since. */
  #revoked = false;
  /** Milliseconds until the next poll, as the last answer has it. */
  #wait = 0;
  #callOff: (() => void) | undefined;
  /** Conversations are held one after another; never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #failures = 0;
  /** Whether the control plane has ever answered. */
  #heard = false;
  #observe: ((news: SourceNews) => void) | undefined;
  /** The failure that was told last and is not over. */
  #fault: string | undefined;

  constructor(settings: CloudSettings, options: CloudSourceOptions) {
    this.name = `the control plane ${settings.apiUrl}`;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#later = options.later ?? systemLater;
    this.#timeout = options.timeout ?? systemLater;
    this.#pace = new Pace(options.random ?? Math.random);
    this.#memory = new CloudMemory(settings, options.logger);
    this.#conversation = new Conversation(settings, this.#memory, {
      ...options,
      fetchedKeys: (news) => this.#observe?.(news),
    });
  }

  /**
   * Asks now. The first time it rejects only with what somebody must mend (a bad token, a signature that does not
   * hold); a control plane that is not there gives no policy yet, or the bundle that an earlier run has left.
   */
  load(): Promise<PolicyAnswer> {
    return this.#inTurn(async () => this.#conclude(await this.#ask(true)));
  }

  loadSync(): PolicyAnswer {
    return this.#conclude(runStepsBlocking(this.#conversation.ask(true)));
  }

  subscribe(listener: (answer?: PolicyAnswer) => void): () => void {
    this.#listeners.add(listener);
    this.#schedule();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#unschedule();
    };
  }

  observe(listener: (news: SourceNews) => void): void {
    this.#observe = listener;
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#unschedule();
    this.#ending.abort();
    await this.#turn;
  }

  async #ask(patient: boolean): Promise<Outcome> {
    try {
      return await runSteps(this.#conversation.ask(patient), this.#timeout, this.#ending.signal);
    } catch (cause) {
      // INVARIANT: whatever happens, the next poll comes.
      const error = new D2Error("cloud_fault", "asking it has failed in this process", { cause });
      return { kind: "failed", error, nature: "set_up" };
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #schedule(): void {
    if (this.#ending.signal.aborted || this.#listeners.size === 0) return;
    this.#unschedule();
    this.#callOff = this.#later(this.#wait, () => {
      this.#callOff = undefined;
      void this.#inTurn(() => this.#poll());
    });
  }

  #unschedule(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  async #poll(): Promise<void> {
    const outcome = await this.#ask(false);
    if (this.#ending.signal.aborted) return;
    this.#take(outcome);
    this.#schedule();
    if (outcome.kind === "bundle") this.#tell(this.#textOf(outcome.bundle));
    if (outcome.kind === "revoked") this.#tell({ absent: "revoked" });
  }

  #tell(answer: PolicyAnswer): void {
    for (const listener of [...this.#listeners]) listener(answer);
  }

  /** What a load answers with. */
  #conclude(outcome: Outcome): PolicyAnswer {
    const begun = this.#begun;
    if (this.#ending.signal.aborted) throw new ConfigurationError(`${this.name} is not asked any more`);
    if (outcome.kind === "failed" && outcome.bundle === undefined) {
      if (begun || outcome.nature === "set_up") throw this.#failedLoad(outcome, begun);
    }
    this.#begun = true;
    this.#take(outcome);
    this.#schedule();
    switch (outcome.kind) {
      case "bundle":
        return this.#textOf(outcome.bundle);
      case "unchanged":
        return this.#held === undefined ? { absent: "pending" } : this.#textOf(this.#held);
      case "revoked":
        return { absent: "revoked" };
      case "failed":
        if (outcome.bundle !== undefined) return this.#textOf(outcome.bundle);
        return { absent: this.#memory.isRevoked ? "revoked" : "pending" };
    }
  }

  #failedLoad(outcome: Extract<Outcome, { kind: "failed" }>, begun: boolean): D2Error {
    if (begun) {
      this.#take(outcome);
      this.#schedule();
    } else this.#observe?.(failureNews(outcome, 1));
    return outcome.error;
  }

  /** Takes note of what came, and says what there is to say. */
  #take(outcome: Outcome): void {
    const failed = outcome.kind === "failed";
    if (outcome.kind === "revoked") this.#revoke();
    if (failed) this.#failed(outcome.error, outcome.bundle);
    else this.#answered();
    this.#observe?.(this.#newsOf(outcome));
    this.#wait = this.#pace.after({
      pollSeconds: outcome.pollSeconds,
      failed,
      retryAfter: failed ? outcome.retryAfter : undefined,
      // Also who started from the disk: until the server has answered once, nobody knows what has been revoked.
      urgent: failed && (!this.#heard || (this.#held === undefined && outcome.bundle === undefined)),
    });
  }

  #newsOf(outcome: Outcome): SourceNews {
    if (outcome.kind === "failed") return failureNews(outcome, this.#failures);
    return { kind: "answered", outcome: outcome.kind, pollSeconds: outcome.pollSeconds };
  }

  #revoke(): void {
    if (this.#revoked) return;
    this.#revoked = true;
    this.#held = undefined;
    this.#conversation.forget();
    this.#memory.revoke();
    this.#logger.error(
      `${this.name} has revoked the policy (410): every call is denied until a newer version is published`,
    );
  }

  #failed(error: D2Error, left: Bundle | undefined): void {
    this.#failures += 1;
    const { message } = error;
    const stale = this.#failures === STALE;
    if (message === this.#fault && !stale) return;
    const again = stale && message === this.#fault ? `, ${STALE} times now` : "";
    this.#fault = message;
    const level = error instanceof PolicyError ? "error" : "warn";
    this.#logger[level](`${this.name}: ${message}${again}; ${this.#consequence(left)}`);
  }

  #answered(): void {
    this.#heard = true;
    this.#failures = 0;
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#logger.warn(`${this.name} answers again`);
  }

  #consequence(left: Bundle | undefined): string {
    const bundle = left ?? this.#held;
    if (bundle === undefined) return "every call is denied until a policy comes";
    const { expiresAt } = bundle;
    if (expiresAt !== undefined && this.#clock() >= expiresAt) {
      return `${titleOf(bundle)} has expired, so every call is denied`;
    }
    const until = expiresAt === undefined ? "" : ` until ${new Date(expiresAt).toISOString()}`;
    return left === undefined
      ? `${titleOf(bundle)} stays in force${until}`
      : `${titleOf(bundle)}, which an earlier run has left in the state file, is in force${until}`;
  }

  #textOf(bundle: Bundle): PolicyText {
    const { jws, content, expiresAt, version, audience, etag } = bundle;
    return {
      content,
      format: undefined,
      file: undefined,
      revision: nodeCrypto().createHash("sha256").update(jws).digest("hex"),
      expiresAt,
      bundle: { version, audience, etag },
      adopted: () => this.#adopt(bundle),
    };
  }

  #adopt(bundle: Bundle): void {
    const same = this.#held?.jws === bundle.jws && this.#held.etag === bundle.etag;
    this.#held = bundle;
    this.#conversation.adopt(bundle);
    this.#revoked = false;
    if (!same) this.#memory.adopt(bundle);
  }
}

function failureNews(
  { error, retryAfter }: Extract<Outcome, { kind: "failed" }>,
  failures: number,
): SourceNews {
  return { kind: "failed", error, failures, retryAfter };
}

/** Quoted, so that no name can look like another line of the log. */
function titleOf({ version, content: { metadata } }: Bundle): string {
  const name = "name" in metadata ? metadata.name : undefined;
  return typeof name === "string" ? `version ${version} of ${JSON.stringify(name)}` : `version ${version}`;
}
