import type { Logger } from "../setup/logger.js";
import type { DecisionSink } from "./sink.js";

/** What happens to a call when the queue is full. */
export type WhenFull = "block" | "drop" | "deny";

export interface DecisionLogSettings {
  readonly sink: DecisionSink;
  /** Whether a call waits until its record is on the disk. */
  readonly sync: boolean;
  /** Most records waiting to be written. */
  readonly limit: number;
  readonly whenFull: WhenFull;
  readonly logger: Logger;
}

/** How a decision log is doing. */
export interface DecisionLogState {
  readonly stream: string;
  /** Calls of the stream so far, lost ones included. */
  readonly calls: number;
  /** Calls that were not recorded. */
  readonly lost: number;
  /** Records waiting to be written. */
  readonly waiting: number;
  /** How often writing has failed. */
  readonly failures: number;
}

/**
 * What became of a record. `unsafe`: its lines are written, but may not survive a loss of power, although that was asked
 * for; `lost`: they are not there.
 */
export type Kept = "kept" | "unsafe" | "lost";
