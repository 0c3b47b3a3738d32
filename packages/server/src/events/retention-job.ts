import type { Services } from "../http/services.js";
import { loggedError } from "../observe/logged-error.js";

const DAY = 24 * 3_600_000;
const INTERVAL = 3_600_000;
/** Servers that are restarted often get to it as well. */
const FIRST = 60_000;

type JobServices = Pick<Services, "storage" | "clock" | "settings" | "logger">;

/** Removes events that are older than the settings say, once an hour. Does not keep the process alive. */
export class RetentionJob {
  readonly #services: JobServices;
  readonly #timers: readonly NodeJS.Timeout[];
  #running: Promise<void> | undefined;

  constructor(services: JobServices) {
    this.#services = services;
    const run = () => void this.run();
    this.#timers = [setTimeout(run, FIRST).unref(), setInterval(run, INTERVAL).unref()];
  }

  /** Runs it now, or waits for the one that runs. Never rejects: what failed is tried again the next time. */
  run(): Promise<void> {
    this.#running ??= this.#remove().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#running;
  }

  async #remove(): Promise<void> {
    const { storage, clock, settings, logger } = this.#services;
    const days = settings.eventRetentionDays;
    try {
      // Where events are kept for ever, what else is old goes all the same.
      const events = await storage.removeBefore(days === 0 ? 0 : clock() - days * DAY);
      if (events > 0) logger.info({ events, days }, "old events were removed");
    } catch (error) {
      logger.warn({ error: loggedError(error) }, "old events could not be removed; the next run will");
    }
  }
}
