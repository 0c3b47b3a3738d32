import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digest } from "../src/canonical/canonical-json.js";
import { HistoryDigest, NOTHING_BEFORE } from "../src/record/history-digest.js";
import { Session } from "../src/session.js";

const slow = (tools: readonly string[]) =>
  tools.reduce<string>((before, tool) => digest([before, tool]), NOTHING_BEFORE);

/** Steps of a session: begin a tool, end a running call, open or close a session within. */
const step = fc.record({
  kind: fc.constantFrom("begin", "begin", "end", "open", "mirror", "close", "ask"),
  tool: fc.constantFrom("a", "b", "c"),
  pick: fc.nat(5),
  released: fc.boolean(),
});

describe("the digest of a history", () => {
  it("is that of the tools in the order in which the calls began, whenever it is asked", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const root = new Session();
        const cursor = new HistoryDigest(root);
        const sessions = [root];
        const running: { session: Session; id: number }[] = [];
        const asked: number[] = [];
        for (const { kind, tool, pick, released } of steps) {
          const session = sessions[pick % sessions.length] ?? root;
          if (kind === "begin") running.push({ session, id: session.begin(tool, 0) });
          else if (kind === "end") {
            const [call] = running.splice(pick % Math.max(1, running.length), 1);
            call?.session.end(call.id, released);
          } else if (kind === "open" || kind === "mirror")
            sessions.push(new Session(session, kind === "mirror"));
          else if (kind === "close" && session !== root) {
            session.close();
            sessions.splice(sessions.indexOf(session), 1);
          } else {
            // Half are asked at once, and all of them late.
            if (pick % 2 === 0) expect(cursor.upTo(root.length)).toMatch(/^[0-9a-f]{64}$/);
            asked.push(root.length);
          }
        }
        const late = new HistoryDigest(root);
        for (const length of asked) expect(late.upTo(length)).toBe(slow(root.history.slice(0, length)));
        expect(root.length).toBe(root.history.length);
        expect(cursor.upTo(root.length)).toBe(slow(root.history));
      }),
      { numRuns: 500 },
    );
  });

  it("counts a call that has just begun", () => {
    const session = new Session();
    const cursor = new HistoryDigest(session);
    session.begin("a", 0);
    expect(cursor.upTo(1)).toBe(slow(["a"]));
    expect(cursor.upTo(1)).toBe(slow(["a"]));
    const second = session.begin("b", 0);
    expect(cursor.upTo(2)).toBe(slow(["a", "b"]));
    session.end(second, true);
    expect(cursor.upTo(2)).toBe(slow(["a", "b"]));
  });

  it("refuses to go back, and to go on beyond the calls", () => {
    const session = new Session();
    session.end(session.begin("a", 0), true);
    const cursor = new HistoryDigest(session);
    expect(() => cursor.upTo(2)).toThrow(RangeError);
    cursor.upTo(1);
    expect(() => cursor.upTo(0)).toThrow(RangeError);
  });
});
