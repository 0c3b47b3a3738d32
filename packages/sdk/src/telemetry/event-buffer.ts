/** Something to be told later: one or more events, put together when they are sent. */
export interface PendingEvents {
  /** How many events it makes. */
  readonly count: number;
  /** Of these, denials. */
  readonly denials: number;
  /** The events as they are now. */
  render(): readonly RenderedEvent[];
}

/** An event that is ready to be sent. */
export interface RenderedEvent {
  /** JSON. */
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
  readonly denial: boolean;
}

/** What was lost. */
export interface Losses {
  /** Events. */
  readonly count: number;
  /** Of these, denials. */
  readonly denials: number;
}

/** Events that wait to be sent. Where there are too many the oldest are dropped, and counted. */
export class EventBuffer {
  readonly #capacity: number;
  readonly #waiting: PendingEvents[] = [];
  /** Index of the oldest in `#waiting`; what lies before it is gone. */
  #head = 0;
  /** Put together already, and older than all of `#waiting`. */
  #ready: RenderedEvent[] = [];
  #count = 0;
  /** How many are being sent, which count as waiting. */
  #away = 0;
  #lost = 0;
  #lostDenials = 0;

  /** @param capacity most events that are kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Events that wait, without those that are being sent. */
  get count(): number {
    return this.#count;
  }

  /** Whether the next event will have an older one dropped. */
  get full(): boolean {
    return this.#count + this.#away >= this.#capacity;
  }

  push(pending: PendingEvents): void {
    this.#waiting.push(pending);
    this.#count += pending.count;
    while (this.#count + this.#away > this.#capacity && this.#count > pending.count) this.#dropOldest();
  }

  /**
   * Takes the oldest events out, to be sent. They count as waiting until `settle` is called.
   *
   * @param room takes the size of an event in bytes, and says whether it still fits
   */
  take(maxCount: number, room: (bytes: number) => boolean): RenderedEvent[] {
    const taken: RenderedEvent[] = [];
    while (taken.length < maxCount) {
      const next = this.#peek();
      if (next === undefined || !room(next.bytes)) break;
      this.#ready.shift();
      this.#count -= 1;
      taken.push(next);
    }
    this.#away = taken.length;
    return taken;
  }

  /** What was taken out has been sent, or is given up. */
  settle(): void {
    this.#away = 0;
  }

  /** Drops the oldest event, which is too large to be sent at all. */
  dropNext(): void {
    const next = this.#peek();
    if (next === undefined) return;
    this.#ready.shift();
    this.#count -= 1;
    this.lose({ count: 1, denials: next.denial ? 1 : 0 });
  }

  /** Counts events as lost. */
  lose({ count, denials }: Losses): void {
    this.#lost += count;
    this.#lostDenials += denials;
  }

  /** What was lost since this was asked last. */
  takeLosses(): Losses {
    const losses = { count: this.#lost, denials: this.#lostDenials };
    this.#lost = 0;
    this.#lostDenials = 0;
    return losses;
  }

  /** Whether something was lost that nobody was told of. */
  get hasLosses(): boolean {
    return this.#lost > 0;
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#head = 0;
    this.#ready = [];
    this.#count = 0;
  }

  #peek(): RenderedEvent | undefined {
    while (this.#ready.length === 0) {
      const pending = this.#shift();
      if (pending === undefined) return undefined;
      this.#count -= pending.count;
      try {
        const rendered = pending.render();
        this.#count += rendered.length;
        this.#ready.push(...rendered);
      } catch {
        this.lose(pending);
      }
    }
    return this.#ready[0];
  }

  #shift(): PendingEvents | undefined {
    const pending = this.#waiting[this.#head];
    if (pending === undefined) return undefined;
    this.#head += 1;
    // Moved up now and then, so that neither taking one out nor the list costs more the longer it has been in use.
    if (this.#head > 1024 || this.#head === this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    return pending;
  }

  #dropOldest(): void {
    const ready = this.#ready.shift();
    if (ready !== undefined) {
      this.#count -= 1;
      this.lose({ count: 1, denials: ready.denial ? 1 : 0 });
      return;
    }
    const pending = this.#shift();
    if (pending === undefined) return;
    this.#count -= pending.count;
    this.lose(pending);
  }
}
