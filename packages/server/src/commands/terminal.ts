import type { ServerParts } from "../server-parts.js";

/** What a command touches of its process. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Calls `stop` once the process is asked to end. */
  readonly onStop: (stop: () => void) => void;
  /** What a server is made of, where it is not the usual. */
  readonly parts?: Partial<ServerParts>;
}

/** How a command ended: done; something was found that needs a hand; wrongly used or set; failed. */
export const EXIT = Object.freeze({ done: 0, found: 1, usage: 2, failed: 3 });

/** A command that could not do what it should, with the words for whoever called it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
