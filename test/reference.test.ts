import { describe, expect, it } from "vitest";
import type { AuthoredEntry, AuthoredPolicy, User } from "./reference/authored.js";
import { compare, type Surface, shrink } from "./reference/comparison.js";
import { ReferenceSession } from "./reference/evaluator.js";
import { generateCase } from "./reference/generator.js";
import { type Case, describeCase } from "./reference/script.js";

const USER: User = { id: "u", roles: ["a"] };

function session(entry: AuthoredEntry, user: User = USER): ReferenceSession {
  return new ReferenceSession({ policies: [{ role: "a", permissions: "*", ...entry }] }, user);
}

/** Starts a call that must be allowed, and gives its number. */
function begin(at: ReferenceSession, tool: string, parent: number | null = null): number {
  const { call, decision } = at.start(tool, {}, parent);
  if (call === undefined) throw new Error(`${tool} was refused: ${decision.reason}`);
  return call;
}

function run(at: ReferenceSession, ...tools: string[]): void {
  for (const tool of tools) at.end(begin(at, tool), { returned: null });
}

const reason = (at: ReferenceSession, tool: string, parent: number | null = null) =>
  at.start(tool, {}, parent).decision.reason;

const REDACTED_FIRST: AuthoredEntry = {
  sequence: [{ deny: ["read", "post"] }, { allow: ["read", "redact", "post"] }],
};

describe("the reference evaluator", () => {
  it("a session that ends leaves its calls after those that the outer one has by then", () => {
    const outer = session(REDACTED_FIRST);
    const inner = outer.openChild(USER);
    run(inner, "read");
    run(outer, "redact");
    inner.close();
    expect(reason(outer, "post")).toBe("sequence_violation");
  });

  it("a call that ends after its session counts in the outer one", () => {
    const outer = session(REDACTED_FIRST);
    run(outer, "read");
    const inner = outer.openChild(USER);
    const redact = begin(inner, "redact");
    inner.close();
    expect(reason(outer, "post")).toBe("sequence_violation");
    outer.end(redact, { returned: null });
    expect(reason(outer, "post")).toBe("ok");
  });

  it("a call encloses the sessions that are begun inside it", () => {
    const excused = (within: boolean) => {
      const outer = session(REDACTED_FIRST);
      const read = begin(outer, "read");
      const inner = outer.openChild(USER, within ? read : null);
      run(inner, "redact");
      inner.close();
      outer.end(read, { returned: null });
      return reason(outer, "post");
    };
    expect(excused(true)).toBe("ok");
    expect(excused(false)).toBe("sequence_violation");
  });

  it("an enclosing call of an outer session is no part of the inner history", () => {
    const outer = session({ sequence: { mode: "deny", rules: [{ allow: ["approve", "pay"] }] } });
    const approve = begin(outer, "approve");
    expect(reason(outer, "pay", approve)).toBe("ok");
    expect(reason(outer.openChild(USER, approve), "pay")).toBe("sequence_violation");
  });
});

describe("the generator", () => {
  const SEEDS = Array.from({ length: 3000 }, (_, seed) => seed);

  it("makes the same case of the same seed", () => {
    for (const seed of SEEDS.slice(0, 50)) expect(generateCase(seed)).toEqual(generateCase(seed));
    expect(generateCase(1)).not.toEqual(generateCase(2));
  });

  it("reaches every reason that a decision about a call or a value can have, many times", () => {
    const seen = new Map<string, number>();
    const note = (reason: string) => seen.set(reason, (seen.get(reason) ?? 0) + 1);
    class Noted extends ReferenceSession {
      override start(...given: Parameters<ReferenceSession["start"]>) {
        const answer = super.start(...given);
        note(answer.decision.reason);
        return answer;
      }
      override end(...given: Parameters<ReferenceSession["end"]>) {
        const answer = super.end(...given);
        note(answer.decision.reason);
        return answer;
      }
    }
    const surface: Surface = { open: (policy, user) => new Noted(policy, user) };
    for (const seed of SEEDS) expect(compare(surface, generateCase(seed))).toBeUndefined();
    for (const reason of [
      "ok",
      "missing_policy",
      "rbac_denied",
      "sequence_violation",
      "data_flow_violation",
      "input_validation",
      "output_validation",
      "output_sanitization",
    ])
      expect(seen.get(reason) ?? 0, reason).toBeGreaterThan(200);
  });

  it("stays below the threads that a session may keep", () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
    for (const { script, policy } of SEEDS.map(generateCase)) {
      const rules = policy.policies.flatMap(({ sequence = [] }) =>
        "length" in sequence ? sequence : (sequence.rules ?? []),
      );
      const apart = script.every((event, at) => event.do === (at % 2 === 0 ? "start" : "end"));
      if (apart) continue;
      const calls = script.filter((event) => event.do === "start").length;
      for (const { deny = [] } of rules)
        for (let step = 1; step < deny.length; step++) expect(choose(calls, step)).toBeLessThan(256);
    }
  });
});

describe("the comparison", () => {
  /** A surface that has forgotten the sequence rules. */
  const careless: Surface = {
    open: (policy: AuthoredPolicy, user: User) =>
      new ReferenceSession(
        {
          ...policy,
          policies: policy.policies.map((entry) => ({
            ...entry,
            sequence: [{ deny: ["nobody", "nobody"] }],
          })),
        },
        user,
      ),
  };

  it("finds a surface that forgets the sequence rules, and shows it on a small case", () => {
    const differing = Array.from({ length: 200 }, (_, seed) => generateCase(seed)).find(
      (each) => compare(careless, each) !== undefined,
    );
    if (differing === undefined) throw new Error("no case shows it");
    const small = shrink(careless, differing);
    expect(compare(careless, small)).toMatchObject({
      reference: { reason: "sequence_violation" },
      surface: { reason: "ok" },
    });
    expect(small.script.length).toBeLessThan(differing.script.length);
    expect(describeCase(small)).toContain(`seed ${differing.seed}`);
  });

  it("takes an error of the surface for a difference", () => {
    const broken: Surface = {
      open: () => {
        throw new Error("cannot load");
      },
    };
    expect(compare(broken, generateCase(1))).toMatchObject({ event: -1, surface: "threw: cannot load" });
  });

  it("notices a returned value that was changed in place", () => {
    const changing: Surface = {
      open: (policy, user) => {
        const inner = new ReferenceSession(policy, user);
        const end: ReferenceSession["end"] = (call, ending) => {
          if ("returned" in ending) Object.assign(Object(ending.returned), { touched: true });
          return inner.end(call, ending);
        };
        // Every call of this case is made from one session.
        return {
          start: inner.start.bind(inner),
          end,
          openChild: inner.openChild.bind(inner),
          close: () => inner.close(),
        };
      },
    };
    const given: Case = {
      seed: 0,
      policy: { policies: [{ role: "a", permissions: ["t"] }] },
      user: USER,
      script: [
        { do: "start", id: 0, session: 0, tool: "t", args: {}, parent: null },
        { do: "end", call: 0, ending: { returned: { k: 1 } } },
      ],
    };
    expect(compare(changing, given)).toMatchObject({ event: 1 });
  });
});
