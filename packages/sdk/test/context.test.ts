import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { scopes } from "../src/context/scope.js";
import {
  check,
  clearContext,
  clearUserContext,
  d2Guard,
  getFacts,
  getUserContext,
  hasAnyFact,
  hasFact,
  isContextSet,
  NoContextError,
  PermissionDeniedError,
  recordFact,
  recordFacts,
  runAs,
  setUser,
  setUserContext,
} from "../src/index.js";
import { enforce } from "./enforce.js";

const read = d2Guard("read", () => "rows");
const post = d2Guard("post", () => "sent");
const readLater = d2Guard("read", async () => {
  await setImmediate();
  return "rows";
});
const as = { roles: ["agent"] };
const outerThatReads = d2Guard("outer", () => {
  setUser("bob", as);
  return read();
});

beforeEach(() => {
  enforce([
    { role: "agent", permissions: ["read", "post", "outer"], sequence: [{ deny: ["read", "post"] }] },
  ]);
});

/** Each case in a flow of its own, begun with no user. */
function alone<T>(block: () => T): T {
  return scopes.run(undefined, block);
}

function flow(name: string, block: () => void | Promise<void>): void {
  it(name, () => alone(block));
}

describe("a user", () => {
  flow("is set for the rest of the flow, and for what it starts", async () => {
    setUser("ann", as);
    expect(getUserContext().userId).toBe("ann");
    await setImmediate();
    expect(getUserContext().userId).toBe("ann");
    expect(read()).toBe("rows");
    expect(getUserContext().callHistory).toEqual(["read"]);
  });

  flow("set before an async function's first await is set for its caller too", async () => {
    const begin = async (): Promise<void> => {
      setUser("ann", as);
      await setImmediate();
    };
    const begun = begin();
    expect(getUserContext().userId).toBe("ann");
    await begun;
    expect(getUserContext().userId).toBe("ann");
  });

  flow("has a random request id that stays the same and is new with every user", () => {
    setUser("ann", as);
    const { requestId } = getUserContext();
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(getUserContext().requestId).toBe(requestId);
    setUser("ann", as);
    expect(getUserContext().requestId).not.toBe(requestId);
  });

  flow("that is new begins with an empty session", () => {
    setUser("ann", as);
    read();
    recordFact("PII");
    setUser("bob", as);
    expect(getUserContext()).toMatchObject({ userId: "bob", callHistory: [], facts: [] });
    expect(post()).toBe("sent");
  });

  it.each([
    ["an empty id", "", as],
    ["an id that is a number", 7, as],
    ["no id", undefined, as],
    ["roles that are a string", "ann", { roles: "admin" }],
    ["a role that is a number", "ann", { roles: ["admin", 7] }],
    ["roles with a hole", "ann", { roles: new Array(2) }],
    ["options that are null", "ann", null],
  ])("with %s is refused and leaves no user", (_name, id, options) => {
    alone(() => {
      setUser("before", as);
      expect(() => Reflect.apply(setUser, undefined, [id, options])).toThrow(TypeError);
      expect(isContextSet()).toBe(false);
      expect(() => read()).toThrow(NoContextError);
      expect(() => Reflect.apply(setUserContext, undefined, [id, options])).toThrow(TypeError);
      let ran = false;
      const block = (): void => {
        ran = true;
      };
      expect(() => Reflect.apply(runAs, undefined, [id, options, block])).toThrow(TypeError);
      expect(ran).toBe(false);
    });
  });

  flow("whose roles the caller changes afterwards keeps the roles that were given", () => {
    const roles: string[] = [];
    setUser("ann", { roles });
    roles.push("agent");
    expect(() => read()).toThrow(PermissionDeniedError);
    expect(getUserContext().roles).toEqual([]);
  });

  flow("with a role named * gains nothing by it", () => {
    setUser("ann", { roles: ["*"] });
    expect(check("read").reason).toBe("rbac_denied");
  });
});

describe("runAs", () => {
  flow("ends with its block and gives what the block gives", async () => {
    expect(runAs("ann", as, () => getUserContext().userId)).toBe("ann");
    expect(isContextSet()).toBe(false);
    expect(
      await runAs("ann", as, async () => {
        await setImmediate();
        return getUserContext().userId;
      }),
    ).toBe("ann");
    expect(isContextSet()).toBe(false);
    expect(() =>
      runAs("ann", as, () => {
        throw new Error("boom");
      }),
    ).toThrow("boom");
    await expect(runAs("ann", as, () => Promise.reject(new Error("boom")))).rejects.toThrow("boom");
    expect(isContextSet()).toBe(false);
  });

  flow("joins history and facts to the outer session, after what that has by then", () => {
    setUser("ann", as);
    runAs("bob", as, () => {
      expect(getUserContext().callHistory).toEqual([]);
      read();
      recordFact("PII");
    });
    expect(getUserContext()).toMatchObject({ userId: "ann", callHistory: ["read"], facts: ["PII"] });
    expect(() => post()).toThrow(PermissionDeniedError);
  });

  flow("leaves a dead session to whoever outlives it", async () => {
    let late: () => boolean = () => true;
    await runAs("ann", as, async () => {
      late = scopes.run(scopes.getStore(), () => {
        const scope = scopes.getStore();
        return () => scopes.run(scope, isContextSet);
      });
      expect(late()).toBe(true);
    });
    expect(late()).toBe(false);
  });

  flow("keeps users of flows side by side apart", async () => {
    const seen = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        runAs(`user-${index}`, as, async () => {
          await setImmediate();
          await readLater();
          await setImmediate();
          return [getUserContext().userId, getUserContext().callHistory?.length];
        }),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => [`user-${index}`, 1]));
  });
});

describe("a user set inside another's session", () => {
  const evasions: [string, () => Promise<void>][] = [
    ["a block", async () => void runAs("bob", as, () => read())],
    [
      "code after a first await",
      async () => {
        await setImmediate();
        setUser("bob", as);
        read();
      },
    ],
    ["a guarded tool", async () => void outerThatReads()],
    [
      "an async guarded tool",
      async () =>
        void (await d2Guard("outer", async () => {
          await setImmediate();
          setUser("bob", as);
          return readLater();
        })()),
    ],
    [
      "a handler",
      async () => {
        clearContext(() => {
          setUser("bob", as);
          read();
        })();
      },
    ],
    [
      "a disposable block after an await",
      async () => {
        await setImmediate();
        using _user = setUserContext("bob", as);
        read();
      },
    ],
    [
      "a next tick",
      () =>
        new Promise((resolve) => {
          process.nextTick(() => {
            setUser("bob", as);
            read();
            resolve();
          });
        }),
    ],
  ];

  it.each(evasions)("in %s neither erases nor replaces the outer history", async (_name, child) => {
    await alone(async () => {
      setUser("ann", as);
      await child();
      expect(getUserContext().userId).toBe("ann");
      expect(getUserContext().callHistory).toContain("read");
      expect(() => post()).toThrow(PermissionDeniedError);
    });
  });

  it.each(evasions)("in %s inside a block neither erases nor replaces its history", async (_name, child) => {
    await alone(() =>
      runAs("ann", as, async () => {
        await child();
        expect(getUserContext().userId).toBe("ann");
        expect(() => post()).toThrow(PermissionDeniedError);
      }),
    );
  });

  flow("is seen by the outer session while it lasts, when nobody can tell its end", async () => {
    setUser("ann", as);
    let finish = (): void => {};
    const child = (async () => {
      await setImmediate();
      setUser("bob", as);
      read();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    })();
    await setImmediate();
    await setImmediate();
    expect(() => post()).toThrow(PermissionDeniedError);
    finish();
    await child;
  });

  flow("ends with a guarded tool's body even when the body throws", () => {
    setUser("ann", as);
    const outer = d2Guard("outer", () => {
      setUser("bob", as);
      throw new Error("boom");
    });
    expect(outer).toThrow("boom");
    expect(getUserContext().userId).toBe("ann");
  });

  flow("cannot make a row of sessions grow for ever in a loop without end", async () => {
    for (let round = 0; round < 200; round += 1) {
      await setImmediate();
      setUser(`user-${round}`, as);
      expect(read()).toBe("rows");
      expect(getUserContext().callHistory).toEqual(["read"]);
    }
    let depth = 0;
    for (let at = scopes.getStore(); at !== undefined; at = at.outer) depth += 1;
    expect(depth).toBeLessThan(40);
  });
});

describe("a cleared user", () => {
  flow("is gone for all who hold it", () => {
    setUser("ann", as);
    clearUserContext();
    expect(isContextSet()).toBe(false);
    expect(() => read()).toThrow(NoContextError);
    expect(getUserContext()).toEqual({
      userId: undefined,
      roles: undefined,
      requestId: undefined,
      callHistory: undefined,
      facts: undefined,
    });
  });

  flow("lets look-up fall to the enclosing live session", async () => {
    await runAs("ann", as, async () => {
      await setImmediate();
      setUser("bob", as);
      clearUserContext();
      expect(getUserContext().userId).toBe("ann");
    });
  });

  flow("inside a guarded tool is taken from the tool's body only", () => {
    setUser("ann", as);
    d2Guard("outer", () => {
      clearUserContext();
      expect(isContextSet()).toBe(false);
    })();
    expect(getUserContext().userId).toBe("ann");
  });

  flow("is cleared after a handler, whether it returns, throws or rejects", async () => {
    const login = (after: () => unknown) =>
      clearContext(() => {
        setUser("ann", as);
        return after();
      });
    expect(login(() => 7)()).toBe(7);
    expect(isContextSet()).toBe(false);
    expect(login(() => JSON.parse("{"))).toThrow(SyntaxError);
    expect(isContextSet()).toBe(false);
    await expect(login(() => Promise.reject(new Error("boom")))()).rejects.toThrow("boom");
    expect(isContextSet()).toBe(false);
  });

  flow("is cleared after a decorated method, which keeps its this", () => {
    class Handler {
      prefix = "hello ";
      @clearContext
      handle(name: string): string {
        setUser("ann", as);
        return this.prefix + name;
      }
    }
    expect(new Handler().handle("bob")).toBe("hello bob");
    expect(isContextSet()).toBe(false);
  });
});

describe("a disposable user", () => {
  flow("ends with its block", () => {
    {
      using _user = setUserContext("ann", as);
      expect(getUserContext().userId).toBe("ann");
    }
    expect(isContextSet()).toBe(false);
  });

  flow("gives back the user before it", () => {
    setUser("ann", as);
    {
      using _user = setUserContext("bob", as);
      read();
      expect(getUserContext().userId).toBe("bob");
    }
    expect(getUserContext()).toMatchObject({ userId: "ann", callHistory: ["read"] });
  });
});

describe("facts", () => {
  flow("belong to the session and are kept once", () => {
    setUser("ann", as);
    recordFact("PII");
    recordFacts(["PII", "PCI"]);
    expect(getFacts()).toEqual(["PII", "PCI"]);
    expect(hasFact("PCI")).toBe(true);
    expect(hasFact("pci")).toBe(false);
    expect(hasAnyFact(["X", "PII"])).toBe(true);
    expect(hasAnyFact([])).toBe(false);
  });

  flow("cannot be lost for want of a session", () => {
    expect(() => recordFact("PII")).toThrow("there is no session");
    expect(getFacts()).toEqual([]);
    setUser("ann", as);
    expect(() => Reflect.apply(recordFact, undefined, [""])).toThrow(TypeError);
  });
});

describe("an async generator", () => {
  flow("keeps the context it was created in at every next", async () => {
    enforce([{ role: "agent", permissions: ["items"] }]);
    const items = d2Guard("items", async function* () {
      for (let n = 0; n < 3; n += 1) {
        yield getUserContext().userId;
        await setImmediate();
      }
    });
    const stream = runAs("ann", as, () => {
      setUser("ann", as);
      return items();
    });
    const seen: unknown[] = [];
    await runAs("bob", as, async () => {
      for await (const item of stream) seen.push(item);
    });
    // The session of the block is over when the items are read: whoever set the user is gone, and nobody else stands in.
    expect(seen).toEqual([undefined, undefined, undefined]);
    const live = await new Promise<unknown[]>((resolve) => {
      void runAs("ann", as, async () => {
        const own = items();
        const found: unknown[] = [];
        await runAs("bob", as, async () => {
          for await (const item of own) found.push(item);
        });
        resolve(found);
      });
    });
    expect(live).toEqual(["ann", "ann", "ann"]);
  });
});
