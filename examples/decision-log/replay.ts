// Replays the log in a folder, and gives one digest over every decision. As a program: node replay.js FOLDER
import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { type PolicyLookup, replayLog } from "d2-policy/log";

/** The policies that were kept beside a log, by digest. */
export function keptPolicies(folder: string): PolicyLookup {
  return (digest) => ({ text: readFileSync(join(folder, "policies", `${digest}.yaml`), "utf8") });
}

export async function replayFolder(folder: string): Promise<string> {
  const log = createReadStream(join(folder, "audit.jsonl"));
  const { ok, replay } = await replayLog(log, { policies: keptPolicies(folder) });
  assert.equal(ok, true);
  assert.equal(replay.different, 0);
  assert.equal(replay.notReplayable, 0);
  return `${replay.matched} decisions, ${replay.digest.slice(0, 16)}`;
}

if (import.meta.filename === process.argv[1]) console.log(await replayFolder(process.argv[2] ?? "."));
