import assert from "node:assert/strict";
import { BundleExpiredError, PermissionDeniedError, type ReasonCode } from "d2-sdk";

/** Prints a heading. */
export function heading(text: string): void {
  console.log(`\n${text}`);
}

/**
 * Makes a call, prints how it was decided, and ends the program with an error unless that is what was expected.
 *
 * @param expected `ok`, or the reason code of the refusal
 * @returns what the call gave; undefined when it was refused
 */
export async function expectDecision<T>(
  expected: ReasonCode,
  what: string,
  call: () => T,
): Promise<Awaited<T> | undefined> {
  try {
    const value = await call();
    console.log(`  allow  ${what}`);
    assert.equal("ok", expected, `${what}: it was allowed`);
    return value;
  } catch (error) {
    if (!(error instanceof PermissionDeniedError) && !(error instanceof BundleExpiredError)) throw error;
    const rule = error.decision?.rule;
    console.log(`  deny   ${what}\n           ${error.reason}${rule === undefined ? "" : ` by ${rule}`}`);
    assert.equal(error.reason, expected, what);
    return undefined;
  }
}
