// The bypass: a call that touches data is kept out of the history (or an approval that did not happen gets into it), so
// that the call which must not follow is let through. Each attempt below reads; whatever it does, posting afterwards
// from the flow that started it must be refused.

import { AsyncResource } from "node:async_hooks";
import { EventEmitter, once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import {
  clearContext,
  clearUserContext,
  d2Guard,
  getFacts,
  getUserContext,
  isContextSet,
  runAs,
  setUser,
  setUserContext,
} from "d2-sdk";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { asAgent, enforce, outcome, outcomeLater, thenable, withThen } from "./enforce.js";

const as = { roles: ["agent"] };
let sent = 0;
const read = d2Guard("read", () => "rows");
const readLater = d2Guard("read", async () => {
  await setImmediate();
  return "rows";
});
const post = d2Guard("post", () => {
  sent += 1;
});
const tool = <T>(body: () => T): (() => T) => d2Guard("tool", body);
const never = new Promise<never>(() => undefined);
const silently = async (block: () => unknown): Promise<void> => {
  try {
    await block();
  } catch {
    // Whatever became of the attempt, what counts is what may follow.
  }
};

beforeEach(() => {
  sent = 0;
});

beforeAll(async () => {
  const refused = { tool: "refused", conditions: { output: { $: { type: "int" } } } };
  const limited = { tool: "limited", conditions: { input: { n: { type: "int" } } } };
  await enforce(
    [
      {
        role: "agent",
        permissions: ["read", "post", "tool", "worker", "items", refused, limited],
        sequence: [{ deny: ["@data", "post"] }],
      },
    ],
    {
      tool_groups: { data: ["read", "refused", "worker", "items"], egress: ["post"] },
      data_flow: { labels: { "@data": ["SECRET"] }, blocks: { SECRET: ["@egress"] } },
    },
  );
});

/** Ways to read; each runs in a session and may leave anything behind. */
const attempts: [name: string, attempt: () => unknown][] = [
  ["by a call that throws", () => silently(d2Guard("read", () => Promise.reject(new Error("no"))))],
  ["by a call that throws at once", () => silently(d2Guard("read", () => JSON.parse("{")))],
  ["by a call that is refused what it returns", () => silently(d2Guard("refused", () => "rows"))],
  ["by a call whose refused result becomes a value", d2Guard("refused", { onDeny: "rows" }, () => "rows")],
  [
    "by a call whose refusal is handled by something that throws",
    () =>
      silently(
        d2Guard(
          "refused",
          {
            onDeny: () => {
              throw new Error("no");
            },
          },
          () => "rows",
        ),
      ),
  ],
  ["by a call that never ends", () => void d2Guard("read", () => never)()],
  ["by a call that nobody waits for", () => void readLater()],
  ["by a call that is abandoned in a race", () => Promise.race([readLater(), setImmediate()])],
  ["by many calls at once", () => Promise.all(Array.from({ length: 50 }, () => readLater()))],
  ["inside another tool", tool(() => read())],
  ["five tools deep", tool(tool(tool(tool(tool(() => read())))))],
  ["inside another tool that throws", () => silently(tool(() => Promise.reject([read()])))],
  ["in a block", () => runAs("bob", as, read)],
  ["in a block that throws", () => silently(() => runAs("bob", as, () => JSON.parse(read())))],
  ["in blocks in blocks", () => runAs("bob", as, () => runAs("ann", as, () => runAs("bob", as, read)))],
  [
    "in a block in a tool in a block",
    () =>
      runAs(
        "bob",
        as,
        tool(() => runAs("ann", as, readLater)),
      ),
  ],
  [
    "in a block whose result cannot be waited for",
    () =>
      silently(() =>
        runAs("bob", as, () => {
          read();
          return withThen(
            {},
            {
              get() {
                throw new Error("no");
              },
            },
          );
        }),
      ),
  ],
  [
    "in a block whose result calls back twice, and throws",
    () =>
      runAs("bob", as, () =>
        thenable((resolve) => {
          resolve(read());
          resolve(1);
          throw new Error("no");
        }),
      ),
  ],
  [
    "in a block whose promise has a `then` of its own",
    () =>
      silently(() =>
        runAs("bob", as, () =>
          withThen(readLater(), { value: (done: (value: unknown) => unknown) => done(1) }),
        ),
      ),
  ],
  [
    "after taking the user away inside a tool, for a user set anew",
    tool(() => {
      clearUserContext();
      setUser("bob", as);
      read();
    }),
  ],
  [
    "after taking the user away inside a tool, in a block",
    tool(() => {
      clearUserContext();
      runAs("bob", as, read);
    }),
  ],
  [
    "after taking the user away inside a tool, later on",
    tool(async () => {
      await setImmediate();
      clearUserContext();
      await setImmediate();
      setUser("bob", as);
      await readLater();
    }),
  ],
  [
    "after a user that is none was refused inside a tool",
    tool(() => {
      expect(() => Reflect.apply(setUser, undefined, ["", as])).toThrow(TypeError);
      expect(isContextSet()).toBe(false);
      setUser("bob", as);
      read();
    }),
  ],
  [
    "after a user that is none was refused in a child",
    async () => {
      await setImmediate();
      expect(() => Reflect.apply(setUserContext, undefined, ["bob", { roles: "agent" }])).toThrow(TypeError);
      using _user = setUserContext("bob", as);
      read();
    },
  ],
  [
    "after several users set in one run",
    async () => {
      await setImmediate();
      setUser("bob", as);
      setUser("cid", as);
      setUser("dan", as);
      read();
    },
  ],
  [
    "deep in a row of users without an end",
    async () => {
      for (let round = 0; round < 40; round += 1) {
        await setImmediate();
        setUser(`user-${round}`, as);
      }
      read();
    },
  ],
  [
    "in an inner handler that clears its user",
    clearContext(async () => {
      setUser("bob", as);
      await readLater();
      clearUserContext();
    }),
  ],
  [
    "with a user who is disposed before the call ends",
    async () => {
      await setImmediate();
      const user = setUserContext("bob", as);
      const running = readLater();
      user[Symbol.dispose]();
      user[Symbol.dispose]();
      await running;
    },
  ],
  [
    "in a block that ends while its call runs",
    async () => {
      let running: Promise<unknown> = Promise.resolve();
      runAs("bob", as, () => {
        running = readLater();
      });
      await running;
    },
  ],
  [
    "from a timer that a block left behind",
    async () => {
      let late: Promise<unknown> = Promise.resolve();
      runAs("bob", as, () => {
        late = setTimeout(1).then(readLater);
      });
      await late;
    },
  ],
  [
    "from a microtask, a tick and an immediate that a tool left behind",
    async () => {
      let left: Promise<unknown>[] = [];
      tool(() => {
        left = [
          Promise.resolve().then(read),
          new Promise((resolve) => process.nextTick(() => resolve(read()))),
          setImmediate().then(read),
        ];
      })();
      await Promise.all(left);
    },
  ],
  [
    "from a listener that is called in this flow",
    () => {
      const emitter = new EventEmitter();
      emitter.on("data", () => read());
      emitter.emit("data");
    },
  ],
  [
    "from an event that is waited for",
    async () => {
      const emitter = new EventEmitter();
      const heard = once(emitter, "data");
      void setImmediate().then(() => emitter.emit("data"));
      await heard;
      await readLater();
    },
  ],
  [
    "by a generator, step by step",
    () => {
      const items = d2Guard("items", function* () {
        yield 1;
        yield 2;
      })();
      items.next();
    },
  ],
  [
    "by a generator that is never begun",
    () =>
      void d2Guard("items", function* () {
        yield 1;
      })(),
  ],
  [
    "by an async generator that is given up",
    async () => {
      const items = d2Guard("items", async function* () {
        yield 1;
        yield 2;
      });
      for await (const _ of items()) break;
    },
  ],
  [
    "inside a generator's clean-up",
    () => {
      const items = d2Guard("tool", function* () {
        try {
          yield 1;
        } finally {
          read();
        }
      });
      for (const _ of items()) break;
    },
  ],
  [
    "by a method under a decorator",
    () => {
      class Database {
        @d2Guard("read")
        rows(): string {
          return "rows";
        }
      }
      new Database().rows();
    },
  ],
  ["by a lazy result, which works only when it is waited for", () => thenable((resolve) => resolve(read()))],
  ["by a lazy result of a tool", tool(() => thenable((resolve) => resolve(read())))],
  [
    "by an accessor of a tool's result",
    tool(() =>
      withThen(
        {},
        {
          get() {
            read();
          },
        },
      ),
    ),
  ],
  [
    "by a worker tool",
    () => silently(d2Guard.worker("worker", "data:text/javascript,export default () => 1")),
  ],
  ["by a worker tool that fails", () => silently(d2Guard.worker("worker", "file:///nowhere.js"))],
  ["by apply, call, bind and Reflect", () => Reflect.apply(read.bind(null).call, read, [null])],
  ["as another user, with a facts-only label", () => runAs("bob", { roles: ["agent", "other"] }, read)],
];

it("posting without having read is allowed", async () => {
  await asAgent(async () => {
    await d2Guard("tool", async () => post())();
    await setImmediate();
    expect(outcome(post)).toBe("ok");
  });
  expect(sent).toBe(2);
});

describe("reading", () => {
  it.each(attempts)("%s is seen by what follows, in a block", async (_name, attempt) => {
    await asAgent(async () => {
      await attempt();
      expect(outcome(post)).toBe("sequence_violation");
      await setImmediate();
      expect(outcome(post)).toBe("sequence_violation");
    });
    expect(sent).toBe(0);
  });

  it.each(attempts)(
    "%s is seen by what follows, for a user set by the flow itself",
    async (_name, attempt) => {
      await runAs("first", as, async () => {
        // A flow of its own, whose user has no end that anybody can see.
        await setImmediate();
        setUser("ann", as);
        await setImmediate();
        await attempt();
        expect(outcome(post)).toBe("sequence_violation");
      });
      expect(sent).toBe(0);
    },
  );

  it.each(attempts)("%s is seen by what follows, inside a tool and after it", async (_name, attempt) => {
    await asAgent(async () => {
      await d2Guard("tool", async () => {
        await attempt();
        expect(outcome(post)).toBe("sequence_violation");
      })();
      expect(outcome(post)).toBe("sequence_violation");
    });
    expect(sent).toBe(0);
  });

  it.each(attempts)("%s leaves its label among the facts", async (_name, attempt) => {
    await asAgent(async () => {
      await attempt();
      if (isContextSet()) expect(getFacts()).toEqual(["SECRET"]);
      expect(getUserContext().callHistory ?? ["read"]).not.toEqual([]);
    });
  });
});

describe("reading where there is no user any more", () => {
  const orphans: [name: string, attempt: () => unknown, reason: string][] = [
    [
      "by a callback that was made before there was one",
      () => {
        const before = outside.runInAsyncScope(() => AsyncResource.bind(() => read()));
        before();
      },
      "no_context",
    ],
    [
      "by a promise's reaction from outside",
      () => {
        resolveOutside();
        return reaction;
      },
      "no_context",
    ],
    [
      "by a callback after the session's end",
      () => {
        const late = runAs("bob", as, () => AsyncResource.bind(() => read()));
        return late();
      },
      "ok",
    ],
  ];
  let resolveOutside = (): void => undefined;
  let reaction: Promise<unknown> = Promise.resolve();
  const outside = new AsyncResource("outside");

  it.each(orphans)("%s is refused, or counts in the flow around it", async (_name, attempt, reason) => {
    reaction = new Promise<void>((resolve) => {
      resolveOutside = resolve;
    }).then(read);
    reaction.catch(() => undefined);
    await asAgent(async () => {
      expect(await outcomeLater(attempt)).toBe(reason);
      expect(outcome(post)).toBe(reason === "ok" ? "sequence_violation" : "ok");
    });
  });

  it("leaves nothing behind for who comes after", async () => {
    asAgent(read);
    expect(isContextSet()).toBe(false);
    expect(outcome(post)).toBe("no_context");
    expect(asAgent(() => outcome(post))).toBe("ok");
  });
});

describe("an approval", () => {
  const redact = d2Guard("redact", async () => {
    await setImmediate();
  });
  const approvals: [name: string, attempt: () => unknown][] = [
    ["that was made before the data was read", () => redact().then(read)],
    ["that nobody waited for", () => void [read(), redact()]],
    [
      "that began before the read had ended",
      async () => {
        const reading = readLater();
        await redact();
        await reading;
      },
    ],
    [
      "that threw",
      async () => {
        read();
        await silently(d2Guard("redact", () => Promise.reject(new Error("no"))));
      },
    ],
    [
      "that was refused what it returned",
      async () => {
        read();
        await silently(d2Guard("strict.redact", () => "no number"));
      },
    ],
    [
      "that has not come back",
      async () => {
        read();
        void d2Guard("redact", () => never)();
        await setImmediate();
      },
    ],
    [
      "that a later read has left behind",
      async () => {
        read();
        await redact();
        read();
      },
    ],
    [
      "that a later read in a block has left behind",
      async () => {
        read();
        await redact();
        runAs("bob", as, read);
      },
    ],
    [
      "that a read at its side has left behind",
      async () => {
        read();
        await Promise.all([redact(), readLater()]);
      },
    ],
    [
      "by a generator that was not read to its end",
      async () => {
        read();
        d2Guard("redact", function* () {
          yield 1;
          yield 2;
        })().next();
      },
    ],
    [
      "by a thenable that claims to be done twice, and first that it failed",
      async () => {
        read();
        await silently(
          d2Guard("redact", () =>
            thenable((done, failed) => {
              failed(new Error("no"));
              done(1);
            }),
          ),
        );
      },
    ],
  ];

  beforeAll(async () => {
    await enforce([
      {
        role: "agent",
        permissions: [
          "read",
          "redact",
          { tool: "strict.redact", conditions: { output: { $: { type: "int" } } } },
          "post",
        ],
        sequence: [
          { deny: ["read", "post"] },
          { allow: ["read", "redact", "post"] },
          { allow: ["read", "strict.redact", "post"] },
        ],
      },
    ]);
  });

  it.each(approvals)("%s approves nothing", async (_name, attempt) => {
    await asAgent(async () => {
      await attempt();
      expect(outcome(post)).toBe("sequence_violation");
    });
    await asAgent(async () => {
      read();
      await redact();
      expect(outcome(post)).toBe("ok");
    });
  });
});
