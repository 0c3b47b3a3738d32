import { loadPolicy, locateIn, readPolicyText } from "d2-policy";
import { type DiffOptions, diffPolicies, diffText, type PolicyChange } from "d2-policy/diff";
import { describe, expect, it } from "vitest";

const load = (text: string | object) => loadPolicy(text, { now: 0 });

const diffOf = (before: string | object, after: string | object, options?: DiffOptions) =>
  diffPolicies(load(before), load(after), options);

/** Direction and words of every change. */
const told = (changes: readonly PolicyChange[]) =>
  changes.map(({ direction, words }) => `${direction}: ${words}`);

const role = (permissions: readonly unknown[], more: object = {}) => ({
  role: "analyst",
  permissions,
  ...more,
});
const policy = (...policies: object[]) => ({ policies });
const ruled = (conditions: object) => policy(role([{ tool: "reports.run", conditions }]));

describe("a diff of two policies", () => {
  it("finds nothing between a policy and itself, whatever its order and its notation", () => {
    const one = policy(role(["a", "b"], { sequence: [{ deny: ["a", "b"] }] }), {
      role: "viewer",
      permissions: "a",
    });
    const same = policy(
      { role: "viewer", permissions: ["a"] },
      role(["b", "a"], { sequence: { mode: "allow", rules: [{ deny: ["a", "b"], reason: "no" }] } }),
    );
    const diff = diffOf(one, same);
    expect(diff).toMatchObject({
      direction: "same",
      loosened: false,
      mayLoosen: false,
      incomplete: false,
      changes: [],
    });
    expect(diffText(diff)).toMatch(
      /^unnamed sha256:\w+ -> unnamed sha256:\w+\n\nthe policies decide the same$/,
    );
  });

  it("says who gained and who lost which tool, by the pattern where the pattern as such is new", () => {
    const before = policy(role(["db.read", "mail.send"]), { role: "viewer", permissions: ["db.read"] });
    const after = policy(role(["db.*", "db.read"]), { role: "viewer", permissions: ["db.*"] });
    const diff = diffOf(before, after);
    expect(told(diff.changes)).toEqual([
      "loosened: `analyst` and `viewer` may now call `db.*`",
      "tightened: `analyst` may no longer call `mail.send`",
    ]);
    expect(diff.direction).toBe("mixed");
  });

  it("names the other tools of a pattern when some of it is not gained", () => {
    const before = policy(role(["x"]));
    const after = policy(role(["x", "db.*", { tool: "db.drop", allow: false }]));
    const diff = diffOf(before, after);
    expect(told(diff.changes)).toEqual([
      "loosened: `analyst` may now call other `db.*`",
      "tightened: calls of `db.drop` are now forbidden by `analyst`, whatever the user's other roles grant",
      "neutral: calls of `db.drop` are refused as `rbac_denied`, before as `missing_policy`",
    ]);
  });

  it("tells that a denial came and went", () => {
    const open = policy(role(["pay", "see"]));
    const shut = policy(role(["pay", "see", { tool: "pay", allow: false }]));
    expect(told(diffOf(open, shut).changes)).toEqual([
      "tightened: `analyst` may no longer call `pay`: `allow: false` now forbids it",
    ]);
    expect(told(diffOf(shut, open).changes)).toEqual([
      "loosened: `analyst` may now call `pay`: `allow: false` no longer forbids it",
    ]);
  });

  it("counts another reason code as a change that decides nothing otherwise", () => {
    const diff = diffOf(policy(role(["a", { tool: "b", allow: false }])), policy(role(["a"])));
    expect(told(diff.changes)).toContain(
      "neutral: calls of `b` are refused as `missing_policy`, before as `rbac_denied`",
    );
  });

  it("tells a new role with its tools, and a role that is gone", () => {
    const one = policy(role(["a"]));
    const two = policy({ role: "writer", permissions: ["a", "b.*"] });
    expect(told(diffOf(one, two).changes)).toEqual([
      "loosened: the role `writer` is new: it may call `a`, `b.*`",
      "tightened: the role `analyst` is gone: it could call `a`",
    ]);
  });

  it("compares the expiry", () => {
    const at = (expires?: string) => ({ metadata: expires === undefined ? {} : { expires }, policies: [] });
    expect(told(diffOf(at("2030-01-01"), at()).changes)).toEqual([
      "loosened: the policy never expires, before it expired at 2030-01-01T00:00:00.000Z",
    ]);
    expect(diffOf(at("2030-01-01"), at("2029-01-01")).direction).toBe("tightened");
    expect(diffOf(at("2030-01-01"), at("2031-01-01")).direction).toBe("loosened");
  });
});

describe("a diff of guardrails", () => {
  const input = (before: object, after: object) =>
    told(diffOf(ruled({ input: { n: before } }), ruled({ input: { n: after } })).changes).map((line) =>
      line.replace("for `analyst`, argument `n` of `reports.run` ", ""),
    );

  it.each([
    [{ max: 1000 }, { max: 100 }, ["tightened: must be at most 100, before at most 1000"]],
    [{ max: 100 }, { lt: 100 }, ["tightened: must be less than 100, before at most 100"]],
    [{ min: 1 }, { gt: 0 }, ["loosened: must be more than 0, before at least 1"]],
    [{ max: 5 }, { min: 1, max: 5 }, ["tightened: must now be at least 1"]],
    [{ min: 1, max: 5 }, { max: 5 }, ["loosened: no longer has to be at least 1"]],
    [
      { in: ["a", "b"] },
      { eq: "a" },
      [expect.stringMatching(/^tightened: must be equal to "a", before one of "a"/)],
    ],
    [{ not_in: ["a"] }, { not_in: ["b"] }, ['changed: must be none of "b", before none of "a"']],
    [
      { type: "int" },
      { type: ["int", "string"] },
      ["loosened: must be of type int or string, before of type int"],
    ],
    [{ max: 1 }, { max: 1, required: true }, ["tightened: must now be present and not null"]],
    [{ matches: "a" }, { matches: "b" }, ['changed: must be matched by "b", before matched by "a"']],
    [{ type: "number" }, { type: "float" }, []],
    [{ in: [1, 2] }, { in: [2, 1, 1] }, []],
  ])("from %j to %j", (before, after, words) => {
    expect(input(before, after)).toEqual(words);
  });

  it("takes the rules of all permissions that grant the tool together", () => {
    const narrow = { tool: "reports.run", conditions: { input: { n: { max: 10 } } } };
    const wide = { tool: "reports.*", conditions: { input: { n: { max: 50 } } } };
    const diff = diffOf(policy(role([narrow])), policy(role([narrow, wide])));
    expect(diff.changes.map(({ kind, tools }) => [kind, tools])).toEqual([
      ["permission_gained", ["reports.*"]],
    ]);
  });

  it("tells that the same rule on a pattern no longer asks the guard for the name", () => {
    const rule = { conditions: { input: { n: { max: 10 } } } };
    const diff = diffOf(policy(role([{ tool: "a.b", ...rule }])), policy(role([{ tool: "a.*", ...rule }])));
    expect(told(diff.changes)).toContain(
      "loosened: for `analyst`, argument `n` of `a.b` no longer has to be an argument that the guard knows by name",
    );
  });

  it("ranks actions only where nothing after them looks at the value", () => {
    const redact = { a: { action: "redact" } };
    const deny = { b: { action: "deny", contains: "x" } };
    const output = (before: object, after: object) =>
      diffOf(ruled({ output: before }), ruled({ output: after }));
    expect(told(output({}, redact).changes)).toEqual([
      "tightened: for `analyst`, the output of `reports.run` is now cleaned by: redact `a`",
    ]);
    expect(output(redact, {}).direction).toBe("loosened");
    expect(output(deny, { ...redact, ...deny }).direction).toBe("changed");
    expect(output(deny, { ...deny, ...redact }).direction).toBe("tightened");
    expect(told(output({ ...deny, ...redact }, { ...redact, ...deny }).changes)).toEqual([
      expect.stringContaining(
        "changed: for `analyst`, the actions on the output of `reports.run` come in another order",
      ),
    ]);
  });

  it("compares the rules on the whole result", () => {
    const output = (before: object, after: object) =>
      told(diffOf(ruled({ output: before }), ruled({ output: after })).changes).map((line) =>
        line.replace("for `analyst`, the output of `reports.run` ", ""),
      );
    expect(output({ max_bytes: 10 }, { max_bytes: 20 })).toEqual([
      "loosened: may be at most 20 bytes, before at most 10 bytes",
    ]);
    expect(output({ deny_if_patterns: ["a"] }, { deny_if_patterns: ["b"] })).toEqual([
      'changed: is refused where "b" is found in it, before "a"',
    ]);
    expect(output({ require_fields_absent: ["a"] }, { require_fields_absent: ["b"] })).toEqual([
      "tightened: is now refused with a field `b`",
      "loosened: may now have a field `a`",
    ]);
  });
});

describe("a diff of sequences", () => {
  const tools = ["db.read", "redact", "http.post"];
  const rules = (...sequence: object[]) => policy(role(tools, { sequence }));
  const denied = { deny: ["db.read", "http.post"] };
  const excused = { allow: ["db.read", "redact", "http.post"] };

  it("gives the shortest sequence that was closed, with its rule", () => {
    const [change, ...more] = diffOf(rules(), rules(denied)).changes;
    expect(more).toEqual([]);
    expect(change).toMatchObject({
      kind: "sequence_closed",
      direction: "tightened",
      words: "`analyst` may no longer call `http.post` after `db.read`",
      after: [{ rule: "policies[0].sequence[0]" }],
      example: [
        { tool: "db.read", ended: "released" },
        { tool: "http.post", ended: "next" },
      ],
    });
  });

  it("gives what an excuse opens", () => {
    const diff = diffOf(rules(denied), rules(denied, excused));
    expect(told(diff.changes)).toEqual([
      "loosened: `analyst` may now call `http.post` after `db.read`, `redact`",
    ]);
  });

  it("knows rules that read otherwise and decide the same", () => {
    const longer = { deny: ["db.read", "redact", "http.post"] };
    const diff = diffOf(rules(denied), rules(denied, longer));
    expect(diff).toMatchObject({ direction: "same", mayLoosen: false });
    expect(told(diff.changes)).toEqual([
      "neutral: the sequence rules of `analyst` are written otherwise and decide the same",
    ]);
  });

  it("tells what the rules of a role do to users who have the tools from other roles", () => {
    const bound = (...sequence: object[]) =>
      policy({ role: "bound", permissions: [], sequence }, role(tools));
    const diff = diffOf(bound(denied), bound());
    expect(told(diff.changes)).toEqual([
      "loosened: `bound`, with tools from other roles, may now call `http.post` after `db.read`",
    ]);
  });

  it("takes many rules apart and sees all that one of them did", () => {
    const names = Array.from({ length: 60 }, (_, n) => `t.${n}`);
    const many = names.flatMap((name, n) => (n % 2 === 0 ? [{ deny: [name, `t.${n + 1}`] }] : []));
    const bound = (sequence: object[]) => policy(role(names, { sequence }));
    const diff = diffOf(bound(many), bound([...many.slice(1), { deny: ["t.0", "t.3", "t.1"] }]));
    expect(diff.incomplete).toBe(false);
    expect(told(diff.changes)).toEqual(["loosened: `analyst` may now call `t.1` after `t.0`"]);
  });

  it("says when the search stopped, and does not take the rest for granted", () => {
    const diff = diffOf(
      rules(denied, excused),
      rules(denied, excused, { deny: ["redact", "redact", "db.read"] }),
      {
        maxStates: 2,
      },
    );
    expect(diff).toMatchObject({ incomplete: true, mayLoosen: true });
    expect(diff.changes.map(({ kind }) => kind)).toContain("search_stopped");
    expect(diffText(diff)).toContain("the search for sequences stopped at its bound");
  });

  it("finds what a refused output opens in an allow list", () => {
    const listed = (output: object) =>
      policy(
        role(["a", "b", { tool: "x", conditions: { output } }], {
          sequence: { mode: "deny", rules: [{ allow: ["x"] }, { allow: ["a", "b"] }] },
        }),
      );
    const diff = diffOf(listed({}), listed({ ok: { eq: true } }));
    expect(told(diff.changes)).toContain(
      "loosened: `analyst` may now call `a` after `x` whose output is now refused",
    );
  });

  it("compares what labels block, and what has a label", () => {
    const flow = (labels: object, blocks: object) => ({
      metadata: { data_flow: { labels, blocks } },
      ...policy(role(tools)),
    });
    const block = { PII: ["http.post"] };
    expect(told(diffOf(flow({}, {}), flow({}, block)).changes)).toEqual([
      "tightened: data labelled `PII` now keeps `analyst` from calling `http.post`",
    ]);
    expect(told(diffOf(flow({ "db.read": ["PII"] }, block), flow({}, block)).changes)).toEqual([
      "loosened: `analyst` may now call `http.post` after `db.read` (data labelled `PII`)",
    ]);
  });

  it("finds what a label does between tools of two roles", () => {
    const flow = (labels: object) => ({
      metadata: { data_flow: { labels, blocks: { PII: ["http.post"] } } },
      ...policy(role(["db.read"]), { role: "sender", permissions: ["http.post"] }),
    });
    expect(told(diffOf(flow({ "db.read": ["PII"] }), flow({})).changes)).toEqual([
      "loosened: users whose roles together grant it may now call `http.post` after `db.read` (data labelled `PII`)",
    ]);
  });
});

describe("a diff of users with several roles", () => {
  it("finds that a role which lost a tool took its guardrail with it, when asked", () => {
    const wide = { role: "admin", permissions: ["*"] };
    const before = policy(role([{ tool: "a", conditions: { input: { n: { max: 1 } } } }]), wide);
    const after = policy(role([]), wide);
    expect(diffOf(before, after).direction).toBe("tightened");
    const diff = diffOf(before, after, {
      roles: [
        ["analyst", "admin"],
        ["admin", "analyst"],
      ],
    });
    expect(told(diff.changes)).toEqual([
      "tightened: `analyst` may no longer call `a`",
      "loosened: for `admin`+`analyst`, argument `n` of `a` no longer has to be at most 1, an argument that the guard knows by name",
    ]);
    expect(diff.changes[1]?.roleSets).toEqual([["admin", "analyst"]]);
  });
});

describe("the text of a diff", () => {
  const before =
    "policies:\n  - role: analyst\n    permissions:\n      - tool: run\n        conditions:\n          input:\n            n: {max: 5}\n";
  const after = before.replace("5", "9");

  it("gives the places of the rules in both files", () => {
    const diff = diffOf(before, after, {
      locateBefore: locateIn(readPolicyText(before)),
      locateAfter: locateIn(readPolicyText(after)),
    });
    expect(diff.changes[0]?.before).toEqual([
      { rule: "policies[0].permissions[0].conditions.input.n", line: 7, column: 13 },
    ]);
    expect(
      diffText(diff, undefined, { beforeFile: "old.yaml", afterFile: "new.yaml" }).split("\n").slice(2),
    ).toEqual([
      "loosened (1)",
      "  + for `analyst`, argument `n` of `run` must be at most 9, before at most 5",
      "    before old.yaml:7:13; now new.yaml:7:13",
      "",
      "loosened: something is allowed that was refused",
    ]);
  });

  it("is made of plain frozen data", () => {
    const diff = diffOf(before, after);
    expect(JSON.parse(JSON.stringify(diff))).toEqual(diff);
    expect([diff, diff.changes, diff.changes[0], diff.changes[0]?.before].every(Object.isFrozen)).toBe(true);
  });

  it("does not trip over roles and tools that are named like properties of objects", () => {
    const odd = (tool: string) => `policies: [{role: __proto__, permissions: [${tool}]}]`;
    expect(told(diffOf(odd("constructor"), odd("__proto__")).changes)).toEqual([
      "loosened: `__proto__` may now call `__proto__`",
      "tightened: `__proto__` may no longer call `constructor`",
    ]);
  });
});
