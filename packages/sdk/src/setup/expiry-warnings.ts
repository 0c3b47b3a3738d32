const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const NOTICE = 30 * DAY;

/** Runs something later, without keeping the process alive, and answers with what calls it off. */
export type Later = (milliseconds: number, work: () => void) => () => void;

const later: Later = (milliseconds, work) => {
  const timer = setTimeout(work, milliseconds).unref();
  return () => clearTimeout(timer);
};

/** Where the warnings go. */
export interface ExpiryListener {
  /** The end comes near: once from 30 days before, and at every hour in the last day. */
  expiring(left: string, at: string): void;
  /** It is there. */
  expired(at: string): void;
}

/** Warns before a policy expires. That it has expired is enforced by the guard, not here. */
export class ExpiryWarnings {
  readonly #clock: () => number;
  readonly #listener: ExpiryListener;
  readonly #later: Later;
  #expiresAt: number | undefined;
  #told = 0;
  #callOff: () => void = () => undefined;

  constructor(clock: () => number, listener: ExpiryListener, schedule: Later = later) {
    this.#clock = clock;
    this.#listener = listener;
    this.#later = schedule;
  }

  /** Warns of this end from now on; of one that it already warns of it does not begin anew. */
  follow(expiresAt: number | undefined): void {
    if (expiresAt === this.#expiresAt) return;
    this.stop();
    this.#expiresAt = expiresAt;
    this.#told = 0;
    if (expiresAt !== undefined) this.#look(expiresAt);
  }

  stop(): void {
    this.#callOff();
    this.#expiresAt = undefined;
  }

  #look(expiresAt: number): void {
    const left = expiresAt - this.#clock();
    const stage = stageOf(left);
    if (stage > this.#told) {
      this.#told = stage;
      const at = new Date(expiresAt).toISOString();
      if (left > 0) this.#listener.expiring(inWords(left), at);
      else this.#listener.expired(at);
    }
    if (left <= 0) return;
    // Waits are short, since a timer overflows after 24 days and stands still while the machine sleeps.
    const wait = Math.min(HOUR, Math.max(1000, left - nextMark(left)));
    this.#callOff = this.#later(wait, () => this.#look(expiresAt));
  }
}

/** The earlier of two instants, either of which may be none. */
export function earlierEnd(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** Grows by one whenever there is something to tell. */
function stageOf(left: number): number {
  if (left > NOTICE) return 0;
  if (left > DAY) return 1;
  return left > 0 ? 26 - Math.ceil(left / HOUR) : 26;
}

/** The time left at which there will next be something to tell. */
function nextMark(left: number): number {
  if (left > NOTICE) return NOTICE;
  return left > DAY ? DAY : (Math.ceil(left / HOUR) - 1) * HOUR;
}

function inWords(left: number): string {
  const hours = Math.round(left / HOUR);
  if (left > 2 * DAY) return `${Math.floor(left / DAY)} days`;
  if (hours === 0) return "less than an hour";
  return hours === 1 ? "an hour" : `${hours} hours`;
}
