import { Audit } from "./audit.js";
import type { LogSource } from "./lines.js";
import { Replay, type ReplayWatcher } from "./replay.js";
import type { ReplayOptions, ReplayResult } from "./replay-options.js";

/**
 * Verifies a decision log, and takes every decision in it again from the recorded inputs under the policy of the recorded
 * digest. Sessions are followed from the log's own order, histories and their digests derived, and whole DECISION events
 * made anew and compared by digest.
 *
 * What cannot be decided again is counted with its cause, and never as a match. `ok` says that nothing is wrong; how much was
 * shown is in `replay`.
 *
 * @throws (as a rejection) what the source or `policies` throws
 */
export function replayLog(source: LogSource, options: ReplayOptions): Promise<ReplayResult> {
  return runReplay(source, options);
}

/** A replay that somebody watches. */
export async function runReplay(
  source: LogSource,
  options: ReplayOptions,
  watcher?: ReplayWatcher,
): Promise<ReplayResult> {
  const audit = new Audit(options);
  const replay = new Replay(options, audit.findings, watcher);
  const result = await audit.run(source, replay);
  return { ...result, replay: replay.tally.counts(replay.forgottenSessions) };
}
