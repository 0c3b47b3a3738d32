import { replayLog, verifyLog } from "d2-policy/log";
import { expect, it } from "vitest";
import { type LoggedCall, type LoggedSession, LogWriter } from "../packages/policy/test/log-writer.js";
import { generateCase } from "./reference/generator.js";
import { type Case, describeCase } from "./reference/script.js";

/** How many cases are run: `D2_RANDOM_CASES` for longer runs. */
const CASES = Number(process.env["D2_RANDOM_CASES"] ?? 3000);

const LEVELS = ["full", "arguments", "digests"] as const;

/** Runs a case with a log. Half of the sessions within others are mirrored. */
function recorded({ seed, policy, user, script }: Case): LogWriter {
  const level = LEVELS[seed % LEVELS.length];
  const writer = new LogWriter(policy, level === undefined ? {} : { level });
  const sessions = new Map<number, { of: LoggedSession; within: LoggedCall | undefined }>();
  const running = new Map<number, LoggedCall>();
  sessions.set(0, { of: writer.open(user.id, user.roles), within: undefined });
  for (const event of script) {
    switch (event.do) {
      case "start": {
        const session = sessions.get(event.session);
        if (session === undefined || (event.parent !== null && !running.has(event.parent))) break;
        const within = event.parent === null ? session.within : running.get(event.parent);
        const inside = within !== undefined && [...running.values()].includes(within) ? within : undefined;
        const call = writer.start(session.of, event.tool, [event.args], { within: inside });
        if (call !== undefined) running.set(event.id, call);
        break;
      }
      case "end": {
        const call = running.get(event.call);
        running.delete(event.call);
        const { ending } = event;
        if (call === undefined) break;
        if ("returned" in ending) writer.end(call, { returned: ending.returned });
        else writer.end(call, { threw: Object.assign(new Error(), ending.threw) });
        break;
      }
      case "open": {
        const outer = sessions.get(event.outer);
        const within = event.within === null ? outer?.within : running.get(event.within);
        if (outer === undefined || (event.within !== null && within === undefined)) break;
        const mirrored = (seed + event.id) % 2 === 0;
        const of = writer.open(event.user.id, event.user.roles, outer.of, mirrored);
        sessions.set(event.id, { of, within });
        break;
      }
      case "close": {
        const session = sessions.get(event.session);
        if (session !== undefined) writer.close(session.of);
        sessions.delete(event.session);
        break;
      }
    }
  }
  return writer;
}

it("random policies and sessions are recorded as written down, and replay without a difference", {
  timeout: 3_600_000,
}, async () => {
  const seen = { matched: 0, notReplayable: 0, denied: 0 };
  for (let seed = 0; seed < CASES; seed += 1) {
    const one = generateCase(seed);
    const writer = recorded(one);
    const { text, level } = writer;
    if (writer.recorded !== text) expect(writer.recorded, describeCase(one)).toBe(text);
    const { findings, replay, counts } = await replayLog(text, { policies: () => writer.policy });
    if (findings.length > 0 || replay.different > 0) {
      expect.fail(`${describeCase(one)}\n${JSON.stringify(findings, null, 1)}`);
    }
    const withheld = level === "full" ? ["thrown"] : ["thrown", "output_withheld", "arguments_withheld"];
    expect(withheld).toEqual(expect.arrayContaining(Object.keys(replay.causes)));
    expect(replay.matched + replay.notReplayable).toBe(counts.kinds.DECISION);
    seen.matched += replay.matched;
    seen.notReplayable += replay.notReplayable;
    seen.denied += counts.denied;
    if (seed % 50 === 0) expect((await verifyLog(text)).counts).toEqual(counts);
  }
  // Not vacuous: most decisions are taken again, and denials are among them.
  expect(seen.matched).toBeGreaterThan(seen.notReplayable);
  expect(seen.denied).toBeGreaterThan(CASES);
});
