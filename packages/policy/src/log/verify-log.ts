import { Audit } from "./audit.js";
import type { LogSource } from "./lines.js";
import type { VerifyOptions, VerifyResult } from "./verify-options.js";

/**
 * Verifies a decision log: every line is canonical, every digest is that of its event, inputs or trace, the chain is whole,
 * events come in the order of their calls, and the log is the one that its heads were signed for.
 *
 * Reads once, keeps nothing of what is over, and takes any text or bytes: what is wrong with them is a finding.
 * `observational` is in no digest, so a change of it is not seen.
 *
 * @param source parts of the log in order, cut anywhere; the files of a rotated log one after the other
 * @throws (as a rejection) what the source throws
 */
export function verifyLog(source: LogSource, options: VerifyOptions = {}): Promise<VerifyResult> {
  return new Audit(options).run(source);
}
