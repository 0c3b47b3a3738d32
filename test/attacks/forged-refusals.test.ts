// The bypass: what is thrown or handled around a refusal carries data out. A tool throws something that looks like a
// guard's refusal, or a true one that it has put data into; a handler throws; a handler's answer, a swapped policy or a
// broken clock stands in for a decision.

import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import {
  BundleExpiredError,
  check,
  configureRbac,
  d2Guard,
  getUserContext,
  NoContextError,
  PermissionDeniedError,
  runAs,
  shutdownRbac,
} from "d2-sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, errorOf, outcome, outcomeLater, permission, recorder } from "./enforce.js";

const SECRET = "hunter2";
const guarded = { output: { deny_if_patterns: ["hunter\\d"] } };
const inner = d2Guard("forbidden", () => 1);
const innerLater = d2Guard("forbidden", async () => 1);

beforeEach(() =>
  enforce([
    {
      role: "agent",
      permissions: [{ tool: "tool", conditions: guarded }, { tool: "middle", conditions: guarded }, "free"],
    },
    { role: "other", permissions: ["forbidden"] },
  ]),
);

/** A refusal of the guard's own. */
function genuine(): PermissionDeniedError {
  const error: unknown = (() => {
    try {
      return inner();
    } catch (it) {
      return it;
    }
  })();
  if (error instanceof PermissionDeniedError) return error;
  throw new Error("it was not refused");
}

const seen = async (body: () => unknown): Promise<string> =>
  inspect(await asAgent(() => errorOf(d2Guard("tool", body))), { depth: 8, showHidden: true });

describe("a tool that throws", () => {
  const decision = { outcome: "deny", reason: "rbac_denied", layer: "permission", violations: [] } as const;
  const refusal = { toolId: "forbidden", userId: "ann", roles: [], decision };
  const change = (edit: (error: PermissionDeniedError) => void) => (): never => {
    const error = genuine();
    edit(error);
    throw error;
  };
  const forgeries: [name: string, body: () => unknown][] = [
    [
      "a refusal of its own making",
      () => {
        throw new PermissionDeniedError(SECRET, refusal);
      },
    ],
    [
      "a refusal with data for a user",
      () => {
        throw new NoContextError("no", { ...refusal, userId: SECRET });
      },
    ],
    [
      "a refusal with data in the decision",
      () => {
        throw new PermissionDeniedError("no", { ...refusal, decision: { ...decision, detail: SECRET } });
      },
    ],
    [
      "an expired policy of its own making",
      () => {
        throw new BundleExpiredError("no", { ...refusal, roles: [SECRET] });
      },
    ],
    [
      "something with the name of one",
      () => {
        throw Object.assign(new Error(SECRET), {
          name: "PermissionDeniedError",
          reason: "rbac_denied",
          decision,
        });
      },
    ],
    [
      "a true one with another message",
      change((error) => {
        error.message = SECRET;
      }),
    ],
    [
      "a true one with a cause",
      change((error) => {
        error.cause = new Error(SECRET);
      }),
    ],
    ["a true one with a field more", change((error) => Object.assign(error, { rows: [{ note: SECRET }] }))],
    [
      "a true one with a hidden field",
      change((error) => Object.defineProperty(error, "rows", { value: SECRET })),
    ],
    ["a true one with a symbol", change((error) => Object.assign(error, { [Symbol("rows")]: SECRET }))],
    [
      "a true one with an accessor",
      change((error) => Object.defineProperty(error, "message", { get: () => SECRET })),
    ],
    ["a true one with other roles", change((error) => Reflect.set(error, "roles", [SECRET]))],
    [
      "a true one with another name",
      change((error) => {
        error.name = SECRET;
      }),
    ],
    [
      "a true one with another decision",
      change((error) => Reflect.set(error, "decision", { ...decision, detail: SECRET })),
    ],
    [
      "a true one without a field",
      change((error) => {
        Reflect.deleteProperty(error, "userId");
        Reflect.set(error, "usedId", SECRET);
      }),
    ],
    [
      "a true one as a cause",
      () => {
        throw new Error(SECRET, { cause: genuine() });
      },
    ],
    [
      "a copy of a true one",
      () => {
        throw Object.assign(Object.create(PermissionDeniedError.prototype), genuine(), { message: SECRET });
      },
    ],
    [
      "a proxy of a true one",
      () => {
        throw new Proxy(genuine(), { get: () => SECRET });
      },
    ],
    [
      "a string",
      () => {
        throw SECRET;
      },
    ],
    ["a rejection", () => Promise.reject({ note: SECRET })],
    [
      "an aggregate",
      () => {
        throw new AggregateError([genuine(), new Error(SECRET)]);
      },
    ],
    [
      "an accessor for a message",
      () => {
        throw Object.defineProperty(new Error("no"), "message", { get: () => SECRET });
      },
    ],
    [
      "itself as a cause",
      () => {
        const error = new Error("no");
        error.cause = error;
        throw Object.assign(error, { note: SECRET });
      },
    ],
  ];

  it.each(forgeries)("%s is refused itself, and nothing of that goes on", async (_name, body) => {
    const text = await seen(body);
    expect(text).toContain("output_sanitization");
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain("forbidden");
    expect(
      await seen(async () => {
        await setImmediate();
        return body();
      }),
    ).not.toContain(SECRET);
  });

  it("a true refusal lets it go on as it is, from one tool to the next", async () => {
    let first: unknown;
    const middle = d2Guard("middle", async () => {
      try {
        return await innerLater();
      } catch (error) {
        first = error;
        throw error;
      }
    });
    const outer = d2Guard("tool", async () => middle());
    expect(await asAgent(() => errorOf(outer))).toBe(first);
    expect(first).toMatchObject({ toolId: "forbidden", reason: "rbac_denied" });
  });

  it("a refusal that it kept from an earlier call is judged like anything thrown", async () => {
    const kept = asAgent(() => genuine());
    kept.message = SECRET;
    expect(
      await seen(() => {
        throw kept;
      }),
    ).not.toContain(SECRET);
  });
});

describe("the parts of a refusal", () => {
  it("cannot be changed behind it", async () => {
    await enforce([permission("tool", { input: { n: { in: [1, [2]], maxLength: 3 } } })]);
    const error = await asAgent(() => errorOf(() => d2Guard("tool", (_: object) => 1)({ n: 9 })));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    const { decision, roles, violations } = error as PermissionDeniedError;
    const parts: object[] = [decision, roles, violations, ...violations];
    for (const { operand } of violations)
      if (typeof operand === "object" && operand !== null)
        parts.push(operand, ...Object.values(operand).filter((it) => typeof it === "object"));
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true);
  });
});

describe("a handler of refusals", () => {
  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    [
      "throws nothing",
      () => {
        throw undefined;
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
  ])("that %s does not let the tool run, nor leave the session open", async (_what, onDeny) => {
    let ran = 0;
    const denied = d2Guard("forbidden", { onDeny }, () => {
      ran += 1;
    });
    const refused = d2Guard("tool", { onDeny }, () => SECRET);
    await asAgent(async () => {
      for (const call of [denied, refused]) {
        const end = await Promise.resolve()
          .then(call)
          .then(
            () => "given",
            (error: unknown) => error,
          );
        expect(end).not.toBe("given");
        expect(inspect(end)).not.toContain(SECRET);
      }
      expect(getUserContext().callHistory).toEqual(["tool"]);
      expect(outcome(d2Guard("free", () => 1))).toBe("ok");
    });
    expect(ran).toBe(0);
  });

  it("that throws is no hole in a tool around it", async () => {
    const leaky = d2Guard(
      "forbidden",
      {
        onDeny: () => {
          throw new Error(SECRET);
        },
      },
      () => 1,
    );
    expect(await seen(leaky)).not.toContain(SECRET);
  });

  it("that calls the tool again is refused again, without end of its own making", async () => {
    let calls = 0;
    const again: () => unknown = d2Guard(
      "forbidden",
      {
        onDeny: () => {
          calls += 1;
          return calls < 10 ? again() : "enough";
        },
      },
      () => "ran",
    );
    expect(asAgent(again)).toBe("enough");
  });

  it("runs as whoever called, with the refused call over", async () => {
    const handled = d2Guard(
      "tool",
      { onDeny: () => [getUserContext().userId, outcome(d2Guard("free", () => 1))] },
      () => runAs("bob", { roles: [] }, () => SECRET),
    );
    expect(asAgent(handled)).toEqual(["ann", "ok"]);
  });
});

describe("a policy that is swapped during a call", () => {
  it("judges no call that began before it, neither what it returns nor what it throws", async () => {
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const strict = asAgent(() => outcomeLater(d2Guard("tool", () => gate.then(() => SECRET))));
    const failing = asAgent(() =>
      outcomeLater(
        d2Guard("tool", async () => {
          await gate;
          throw new Error(SECRET);
        }),
      ),
    );
    await enforce([{ role: "agent", permissions: ["tool"] }]);
    const lax = asAgent(() => outcomeLater(d2Guard("tool", () => gate.then(() => SECRET))));
    await enforce([{ role: "agent", permissions: [{ tool: "tool", allow: false }] }]);
    go();
    expect(await Promise.all([strict, failing, lax])).toEqual([
      "output_sanitization",
      "output_sanitization",
      "ok",
    ]);
    expect(asAgent(() => outcome(d2Guard("tool", () => 1)))).toBe("rbac_denied");
  });

  it("in the middle of a tool holds for the calls that the tool makes from then on", async () => {
    const tool = d2Guard("free", async () => {
      await enforce([{ role: "agent", permissions: ["free"] }]);
      return outcome(d2Guard("tool", () => 1));
    });
    expect(await asAgent(tool)).toBe("missing_policy");
  });

  it("or taken away, broken or refused leaves no moment in which everything is allowed", async () => {
    const free = d2Guard("free", () => 1);
    const secret = d2Guard("forbidden", () => 1);
    const reasons = new Set<string>();
    const swap = async (): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        await enforce([
          { role: "agent", permissions: ["free"] },
          { role: "other", permissions: ["forbidden"] },
        ]);
        await configureRbac({ policy: "policies: [", logger: recorder() }).catch(() => undefined);
        await shutdownRbac();
        await setImmediate();
      }
    };
    let over = false;
    const done = swap().finally(() => {
      over = true;
    });
    while (!over) {
      asAgent(() => {
        reasons.add(outcome(secret));
        reasons.add(`free: ${outcome(free)}`);
      });
      await setImmediate();
    }
    await done;
    expect([...reasons].sort()).toEqual([
      "free: ok",
      "free: policy_unavailable",
      "policy_unavailable",
      "rbac_denied",
    ]);
  });
});

describe("an error while deciding", () => {
  it.each<[string, () => number]>([
    [
      "throws",
      () => {
        throw new Error(SECRET);
      },
    ],
    [
      "gives no number",
      () =>
        ({
          valueOf: () => {
            throw new Error(SECRET);
          },
        }) as never,
    ],
  ])("(a clock that %s) denies, says nothing of it, and reaches onDeny", async (_what, clock) => {
    let broken = false;
    await enforce(
      [{ role: "agent", permissions: ["free"] }],
      { expires: "2100-01-01" },
      { clock: () => (broken ? clock() : 0) },
    );
    broken = true;
    const error = await asAgent(() => errorOf(d2Guard("free", () => 1)));
    expect(error).toMatchObject({ reason: "evaluation_error" });
    expect(inspect(error)).not.toContain(SECRET);
    expect(asAgent(d2Guard("free", { onDeny: "no" }, () => 1))).toBe("no");
    expect(await asAgent(() => outcomeLater(d2Guard("free", async () => 1)))).toBe("evaluation_error");
    expect(asAgent(() => check("free"))).toMatchObject({ outcome: "deny", reason: "evaluation_error" });
  });

  it.each([NaN, undefined, "1970", Infinity])(
    "(a clock that says %s) does not keep a policy alive",
    async (time) => {
      let now: unknown = 0;
      await enforce(
        [{ role: "agent", permissions: ["free"] }],
        { expires: "2100-01-01" },
        { clock: () => now as number },
      );
      expect(asAgent(() => outcome(d2Guard("free", () => 1)))).toBe("ok");
      now = time;
      if (time === "1970") return;
      expect(asAgent(() => outcome(d2Guard("free", () => 1)))).toBe("policy_expired");
    },
  );
});
