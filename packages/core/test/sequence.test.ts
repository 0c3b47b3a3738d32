import { describe, expect, it } from "vitest";
import {
  checkDocument,
  compilePlan,
  decideCall,
  type RoleView,
  SequenceSpace,
  Session,
} from "../src/index.js";

type Rule = { deny: string[] } | { allow: string[] };

function viewOf(rules: readonly Rule[], mode: "allow" | "deny" = "allow"): RoleView {
  const { document, faults } = checkDocument({
    policies: [{ role: "a", permissions: ["*"], sequence: { mode, rules } }],
  });
  if (document === undefined) throw new Error(faults.map(({ message }) => message).join("\n"));
  return compilePlan(document).view(["a"]);
}

/** Whether a call may begin; an allowed one begins, and ends as told. */
class Script {
  constructor(
    readonly view: RoleView,
    readonly session = new Session(),
  ) {}

  may(tool: string, enclosing = 0): boolean {
    const { session } = this;
    const call = { tool, session, enclosing, names: undefined, args: [] };
    return decideCall("current", this.view, call).decision.outcome === "allow";
  }

  begin(tool: string, enclosing = 0): number {
    expect(this.may(tool, enclosing), tool).toBe(true);
    return this.session.begin(tool, enclosing);
  }

  call(tool: string, released = true): void {
    this.session.end(this.begin(tool), released);
  }
}

const LEAK: Rule[] = [{ deny: ["read", "post"] }];
const CLEANED: Rule[] = [...LEAK, { allow: ["read", "redact", "post"] }];

describe("a sequence check", () => {
  it("answers the same after a million calls as after ten, from a handful of states", () => {
    const view = viewOf(CLEANED);
    const script = new Script(view);
    for (let n = 0; n < 200_000; n += 1) script.call(n % 2 === 0 ? "read" : "redact");
    expect(script.may("post")).toBe(true);
    script.call("read");
    expect(script.may("post")).toBe(false);
    expect(script.session.log.length).toBeLessThan(500_000);
  });

  it("keeps a run of equal calls as one entry, and remembers how many there were", () => {
    const script = new Script(viewOf(LEAK));
    for (let n = 0; n < 1000; n += 1) script.call("read");
    expect(script.session.log.length).toBe(2);
    expect(script.session.history.length).toBe(1000);
    expect(script.may("post")).toBe(false);
  });

  it("reads a session from the start when the rules are new to it", () => {
    const session = new Session();
    session.end(session.begin("read", 0), true);
    const running = session.begin("redact", 0);
    const script = new Script(viewOf(CLEANED), session);
    expect(script.may("post")).toBe(false);
    session.end(running, true);
    expect(script.may("post")).toBe(true);
    expect(new Script(viewOf(LEAK), session).may("post")).toBe(false);
  });

  it("notices a call that failed while nothing else happened", () => {
    const script = new Script(viewOf(CLEANED));
    script.call("read");
    script.call("redact", false);
    expect(script.may("post")).toBe(false);
    script.call("redact");
    expect(script.may("post")).toBe(true);
  });

  it("sees the end of a call that a refused one had looked past", () => {
    const script = new Script(viewOf(CLEANED));
    script.call("read");
    const redact = script.begin("redact");
    expect(script.may("post")).toBe(false);
    script.session.end(redact, true);
    expect(script.may("post")).toBe(true);
  });

  it("gives no credit for an enclosing call that fails in the end", () => {
    const script = new Script(viewOf([{ allow: ["approve", "pay"] }, { allow: ["approve"] }], "deny"));
    const approve = script.begin("approve");
    script.session.end(script.begin("pay", approve), true);
    script.session.end(approve, false);
    expect(script.may("pay")).toBe(false);
  });

  it("recognises fewer excuses, never more, past 256 threads a step", () => {
    const script = new Script(viewOf(CLEANED));
    const reads = Array.from({ length: 600 }, () => script.begin("read"));
    expect(script.may("post")).toBe(false);
    for (const read of reads) script.session.end(read, true);
    script.call("redact");
    // All were redacted, but more ran at once than are kept apart.
    expect(script.may("post")).toBe(false);
  });
});

describe("a session begun inside another", () => {
  it("joins after what the outer one has by then", () => {
    const outer = new Script(viewOf(LEAK));
    const inner = new Session(outer.session);
    inner.end(inner.begin("read", 0), true);
    expect(outer.may("post")).toBe(true);
    inner.close();
    expect(outer.may("post")).toBe(false);
    expect(outer.session.history).toEqual(["read"]);
    expect(inner.open).toBe(false);
  });

  it("does not let a redaction excuse a read that had not ended when it began", () => {
    const outer = new Script(viewOf(CLEANED));
    const read = outer.begin("read");
    const inner = new Session(outer.session);
    const redact = inner.begin("redact", 0);
    outer.session.end(read, true);
    inner.end(redact, true);
    inner.close();
    expect(outer.may("post")).toBe(false);
    outer.call("redact");
    expect(outer.may("post")).toBe(true);
  });

  it("counts a call that ends after its session was closed", () => {
    const outer = new Script(viewOf(CLEANED));
    outer.call("read");
    const inner = new Session(outer.session);
    const redact = inner.begin("redact", 0);
    inner.close();
    expect(outer.may("post")).toBe(false);
    inner.end(redact, true);
    expect(outer.may("post")).toBe(true);
  });

  it("stands in the outer one at once when it is mirrored", () => {
    const outer = new Script(viewOf(LEAK));
    const inner = new Session(outer.session, true);
    const read = inner.begin("read", 0);
    expect(outer.may("post")).toBe(false);
    inner.end(read, true);
    inner.addFacts(["PII"]);
    expect(outer.session.facts.has("PII")).toBe(true);
    inner.close();
    expect(outer.session.history).toEqual(["read"]);
  });

  it("joins through sessions that are closed already", () => {
    const outer = new Script(viewOf(LEAK));
    const middle = new Session(outer.session);
    const inner = new Session(middle);
    inner.end(inner.begin("read", 0), true);
    inner.addFacts(["PII"]);
    middle.close();
    expect(outer.may("post")).toBe(true);
    inner.close();
    expect(outer.may("post")).toBe(false);
    expect(outer.session.facts.has("PII")).toBe(true);
  });
});

describe("the automaton", () => {
  it("can be walked: its states are finite and found from the first", () => {
    const { space } = viewOf(CLEANED);
    if (space === undefined) throw new Error("no sequence rules");
    const tools = ["read", "redact", "post", "other"];
    const seen = new Map([[space.initial.state.key, space.initial]]);
    const open = [space.initial];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const tool of tools) {
        const toolClass = space.program.classOf(tool);
        if (space.denial(node, toolClass) !== undefined) continue;
        for (const released of [true, false]) {
          const next = space.after(node, toolClass, released);
          if (seen.has(next.state.key)) continue;
          seen.set(next.state.key, next);
          open.push(next);
        }
      }
    }
    // Never read or redacted; read; redacted since; both, in either order: with what each can still come to.
    expect(seen.size).toBe(9);
  });

  it("gives one node for one state, and survives more states than it keeps", () => {
    const rules: Rule[] = Array.from({ length: 14 }, (_, n) => ({ deny: [`t${n}`, "end"] }));
    const { space } = viewOf(rules);
    if (space === undefined) throw new Error("no sequence rules");
    let node = space.initial;
    for (let mask = 1; mask < 6000; mask += 1) {
      node = space.initial;
      for (let n = 0; n < 14; n += 1) {
        if ((mask & (1 << n)) !== 0) node = space.after(node, space.program.classOf(`t${n}`), true);
      }
    }
    expect(space.denial(node, space.program.classOf("end"))).toMatchObject({
      rule: "policies[0].sequence.rules[0]",
    });
    expect(space).toBeInstanceOf(SequenceSpace);
  });
});
