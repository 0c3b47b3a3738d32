import { describe, expect, it } from "vitest";
import { ExpiryWarnings } from "../src/setup/expiry-warnings.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Time that passes from one timer to the next, without waiting. */
class Time {
  now = 0;
  readonly told: string[] = [];
  readonly waits: number[] = [];
  #next: { readonly at: number; readonly work: () => void } | undefined;

  warnings(): ExpiryWarnings {
    const listener = {
      expiring: (left: string) => this.told.push(left),
      expired: () => this.told.push("expired"),
    };
    return new ExpiryWarnings(
      () => this.now,
      listener,
      (wait, work) => {
        this.waits.push(wait);
        const timer = { at: this.now + wait, work };
        this.#next = timer;
        return () => {
          if (this.#next === timer) this.#next = undefined;
        };
      },
    );
  }

  pass(until: number): void {
    for (let next = this.#next; next !== undefined && next.at <= until; next = this.#next) {
      this.#next = undefined;
      this.now = next.at;
      next.work();
    }
    this.now = until;
  }

  /** Timers stand still meanwhile. */
  sleep(until: number): void {
    this.now = until;
    const next = this.#next;
    this.#next = undefined;
    next?.work();
  }

  get waiting(): boolean {
    return this.#next !== undefined;
  }
}

describe("the warnings before a policy expires", () => {
  it("come once from 30 days before, then at every hour of the last day, and at the end", () => {
    const time = new Time();
    time.warnings().follow(100 * DAY);
    time.pass(70 * DAY - 1);
    expect(time.told).toEqual([]);
    time.pass(70 * DAY);
    expect(time.told).toEqual(["30 days"]);
    time.pass(99 * DAY - 1);
    expect(time.told).toHaveLength(1);
    time.pass(100 * DAY - 1);
    const hours = Array.from({ length: 23 }, (_, at) => `${24 - at} hours`);
    expect(time.told).toEqual(["30 days", ...hours, "an hour"]);
    time.pass(100 * DAY);
    expect(time.told.at(-1)).toBe("expired");
    expect(time.told).toHaveLength(26);
    expect(time.waiting).toBe(false);
  });

  it("come at once for a policy that begins in its last days or hours", () => {
    for (const [left, words] of [
      [30 * DAY, "30 days"],
      [3 * DAY + HOUR, "3 days"],
      [10.3 * HOUR, "10 hours"],
      [1000, "less than an hour"],
    ] as const) {
      const time = new Time();
      time.warnings().follow(left);
      expect(time.told).toEqual([words]);
    }
  });

  it("go on at full hours after a start between two", () => {
    const time = new Time();
    time.warnings().follow(2.5 * HOUR);
    time.pass(0.5 * HOUR - 1);
    expect(time.told).toHaveLength(1);
    time.pass(0.5 * HOUR);
    expect(time.told).toHaveLength(2);
    time.pass(2.5 * HOUR);
    expect(time.told.slice(1)).toEqual(["2 hours", "an hour", "expired"]);
  });

  it("do not begin anew for a reloaded policy of the same end, and do for another end", () => {
    const time = new Time();
    const warnings = time.warnings();
    warnings.follow(5 * DAY);
    warnings.follow(5 * DAY);
    expect(time.told).toEqual(["5 days"]);
    warnings.follow(4 * DAY);
    expect(time.told).toEqual(["5 days", "4 days"]);
    warnings.follow(undefined);
    time.pass(10 * DAY);
    expect(time.told).toHaveLength(2);
  });

  it("say only the newest when the clock has jumped, as after a sleep", () => {
    const time = new Time();
    time.warnings().follow(40 * DAY);
    time.sleep(40 * DAY - 2.5 * HOUR);
    expect(time.told).toEqual(["3 hours"]);
  });

  it("never wait longer than a timer can, nor spin when the clock stands still", () => {
    const time = new Time();
    time.warnings().follow(1e15);
    time.pass(DAY);
    expect(Math.max(...time.waits)).toBeLessThanOrEqual(HOUR);
    const last = new Time();
    last.warnings().follow(1);
    expect(last.waits).toEqual([1000]);
  });
});
