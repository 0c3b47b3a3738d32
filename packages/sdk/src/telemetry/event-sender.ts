import { readRetryAfter } from "../cloud/bundle-reply.js";
import type { Later } from "../setup/expiry-warnings.js";
import type { Logger } from "../setup/logger.js";
import { type AccountFacts, DEFAULT_ACCOUNT, readAccount } from "./account-facts.js";
import { type Batch, EventBatches } from "./event-batches.js";
import type { EventBuffer, Losses, RenderedEvent } from "./event-buffer.js";
import { type Exchange, type ExchangeAnswer, type ExchangeRequest, exchange } from "./http-exchange.js";

export interface SenderOptions {
  /** Without a slash at the end. */
  readonly apiUrl: string;
  readonly token: string;
  readonly logger: Logger;
  /** Milliseconds since 1970; must not throw. */
  readonly clock: () => number;
  /** From 0 to 1; spreads posts. */
  readonly random: () => number;
  readonly later: Later;
  /** Told when the control plane has said what it wants. */
  readonly follow: (account: AccountFacts) => void;
  /** The event that tells of lost ones. */
  readonly lossEvent: (losses: Losses) => RenderedEvent;
}

/** Milliseconds. */
const INGEST_TIMEOUT = 5000;
const ACCOUNT_TIMEOUT = 10_000;
const ACCOUNT_LIFETIME = 300_000;
const FIRST_RETRY = 1000;

/** Milliseconds between two times at which what is there is sent because there is room for no more. */
const GAP = 1000;

/** Milliseconds that the end of an instance, or of the process, waits for what is left to be sent. */
const LAST_FLUSH = 2000;

/** Sends events to the control plane: when the interval is over, when the buffer is full, and at the end. */
export class EventSender {
  readonly #buffer: EventBuffer;
  readonly #batches: EventBatches;
  readonly #options: SenderOptions;
  #account = DEFAULT_ACCOUNT;
  #accountAt: number | undefined;
  #callOff: (() => void) | undefined;
  /** What the timer waits for. */
  #waits: "interval" | "now" | "retry" | undefined;
  #retry = FIRST_RETRY;
  #sentAt = 0;
  #sending: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;
  #posting: Exchange | undefined;
  #asking: Exchange | undefined;
  /** Whether the process stays alive for what is sent. */
  #holding = false;
  #failing = false;
  #refused = false;
  #stopped = false;

  constructor(buffer: EventBuffer, options: SenderOptions) {
    this.#buffer = buffer;
    this.#batches = new EventBatches(buffer, options.lossEvent);
    this.#options = options;
  }

  /** Whether nothing is sent any more, ever. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Seconds between two posts. */
  get interval(): number {
    return this.#account.ingestInterval;
  }

  /** Whether there is something left to be sent. */
  get pending(): boolean {
    return !this.#stopped && (this.#batches.size > 0 || this.#sending !== undefined);
  }

  /** To be called when there is a new event. */
  notice(): void {
    if (this.#stopped || this.#sending !== undefined) return;
    if (this.#waits === undefined) {
      this.#wait("interval", this.#spread(this.#account.ingestInterval * 1000));
      if (this.#accountAt === undefined) void this.#askAccount();
    }
    if (this.#waits !== "interval" || !this.#buffer.full) return;
    this.#wait("now", Math.max(0, Math.min(GAP, this.#sentAt + GAP - this.#options.clock())));
  }

  /**
   * Sends what is left, and keeps the process alive for it, at most `limit` milliseconds. What fails then is not tried
   * again before that is over.
   */
  flush(limit: number = LAST_FLUSH): Promise<void> {
    if (!this.pending) return Promise.resolve();
    this.#flushing ??= this.#flush(limit).finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #flush(limit: number): Promise<void> {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      this.#posting?.abort();
    }, limit);
    this.#holding = true;
    this.#posting?.hold();
    try {
      await this.#sending;
      if (!over && this.pending) await this.#send();
    } finally {
      clearTimeout(timer);
      this.#holding = false;
    }
  }

  /** Sends what is left and ends. */
  async close(limit: number = LAST_FLUSH): Promise<void> {
    await this.flush(limit);
    this.#stop();
  }

  #stop(): void {
    this.#stopped = true;
    this.#unwait();
    this.#batches.clear();
    this.#posting?.abort();
    this.#asking?.abort();
  }

  #wait(what: "interval" | "now" | "retry", milliseconds: number): void {
    this.#unwait();
    this.#waits = what;
    this.#callOff = this.#options.later(milliseconds, () => {
      this.#unwait();
      void this.#send();
    });
  }

  #unwait(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#waits = undefined;
  }

  #spread(milliseconds: number): number {
    return Math.round(milliseconds * (0.9 + 0.2 * this.#options.random()));
  }

  #send(): Promise<void> {
    this.#unwait();
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      // What has come meanwhile.
      if (this.#waits === undefined && this.#batches.size > 0) this.notice();
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    this.#sentAt = this.#options.clock();
    // Not what comes meanwhile: a flood of calls must not become one of posts.
    let left = this.#batches.size;
    while (left > 0) {
      const batch = this.#next();
      if (batch === undefined) return;
      const end = this.#conclude(batch, await this.#post(batch));
      if (end === "stop") return;
      if (end === "done") left -= batch.events.length;
    }
  }

  #next(): Batch | undefined {
    if (this.#isAccountOld() && !this.#holding) void this.#askAccount();
    return this.#batches.next(this.#account);
  }

  async #post({ id, events }: Batch): Promise<ExchangeAnswer> {
    const begun = begin({
      method: "POST",
      url: `${this.#options.apiUrl}/v1/events/ingest`,
      headers: { ...this.#headers(), "content-type": "application/json", "x-request-id": id },
      body: `{"batch_id":"${id}","events":[${events.map(({ text }) => text).join(",")}]}`,
      timeoutMs: INGEST_TIMEOUT,
    });
    this.#posting = begun;
    if (this.#holding) begun?.hold();
    const answer = await begun?.answer;
    this.#posting = undefined;
    return answer;
  }

  /** What has become of the batch; `stop`: nothing more is sent for now. */
  #conclude(batch: Batch, answer: ExchangeAnswer): "done" | "halved" | "stop" {
    if (this.#stopped) return "stop";
    const { logger } = this.#options;
    const status = answer?.status ?? 0;
    if (status >= 200 && status < 300) {
      this.#batches.done();
      this.#answered();
      return "done";
    }
    if (status === 401 || status === 403) {
      logger.warn(
        `usage events are not sent any more: the control plane does not take them from this token (${status})`,
      );
      this.#stop();
      return "stop";
    }
    if (status === 429 || status >= 500 || status < 200) {
      this.#failed(status, answer?.retryAfter);
      return "stop";
    }
    if (status === 413) {
      this.#batches.halve(batch);
      return "halved";
    }
    this.#batches.lose(batch);
    if (!this.#refused) {
      logger.warn(
        `the control plane refuses usage events (${status}): they are dropped and counted, now and whenever it does`,
      );
    }
    this.#refused = true;
    return "done";
  }

  #failed(status: number, retryAfter: string | undefined): void {
    const interval = this.#account.ingestInterval * 1000;
    const asked = (readRetryAfter(retryAfter ?? null, this.#options.clock()) ?? 0) * 1000;
    if (status === 429) this.#wait("retry", asked === 0 ? this.#spread(interval) : asked);
    else {
      this.#wait("retry", Math.max(this.#spread(this.#retry), asked));
      this.#retry = Math.min(this.#retry * 2, Math.max(interval, FIRST_RETRY));
    }
    if (this.#failing) return;
    this.#failing = true;
    const why = status === 0 ? "the control plane is not reached" : `the control plane answers ${status}`;
    this.#options.logger.warn(`usage events wait: ${why}; the oldest are dropped when there are too many`);
  }

  #answered(): void {
    this.#retry = FIRST_RETRY;
    if (!this.#failing) return;
    this.#failing = false;
    this.#options.logger.info("usage events are sent again");
  }

  #isAccountOld(): boolean {
    if (this.#accountAt === undefined) return true;
    return Math.abs(this.#options.clock() - this.#accountAt) >= ACCOUNT_LIFETIME;
  }

  async #askAccount(): Promise<void> {
    if (this.#asking !== undefined) return;
    this.#accountAt = this.#options.clock();
    this.#asking = begin({
      method: "GET",
      url: `${this.#options.apiUrl}/v1/accounts/me`,
      headers: this.#headers(),
      timeoutMs: ACCOUNT_TIMEOUT,
    });
    const answer = await this.#asking?.answer;
    this.#asking = undefined;
    const account = answer?.status === 200 ? readAccount(answer.body) : undefined;
    if (account === undefined || this.#stopped) return;
    const sooner = account.ingestInterval < this.#account.ingestInterval;
    this.#account = account;
    this.#options.follow(account);
    if (sooner && this.#waits === "interval")
      this.#wait("interval", this.#spread(account.ingestInterval * 1000));
  }

  #headers(): Readonly<Record<string, string>> {
    return { accept: "application/json", authorization: `Bearer ${this.#options.token}` };
  }
}

/** INVARIANT: a request that cannot even be made is one that was not answered. */
function begin(request: ExchangeRequest): Exchange | undefined {
  try {
    return exchange(request);
  } catch {
    return undefined;
  }
}
