import { compilePlan, OPERATORS, type PolicyDocument, Session } from "d2-core";
import { type LoadedPolicy, loadPolicy } from "d2-policy";
import { diagnosePolicy } from "d2-policy/diagnose";
import { describe, expect, it } from "vitest";
import { generateCase } from "../../../test/reference/generator.js";

const diagnostics = (policy: unknown) => diagnosePolicy(JSON.stringify(policy), { now: 0 }).diagnostics;
const codes = (policy: unknown) => diagnostics(policy).map(({ code }) => code);
const codesOfRules = (side: "input" | "output", rules: object) =>
  codes({ policies: [{ role: "r", permissions: [{ tool: "t", conditions: { [side]: rules } }] }] });
const codesOfRole = (entry: object) => codes({ policies: [{ role: "r", ...entry }] });

describe("rules that nothing satisfies", () => {
  const VALUES: readonly unknown[] = [
    ...[-1, 0, 1, 1.5, 2, 3, 4, 10, true, false, "", "a", "ab", "b", "abc"],
    ...[[], ["a"], [1, 2, 3], {}, { a: 1 }, { a: 1, b: 2 }, new Set(), new Set(["a"]), new Set([1, 2])],
  ];
  const USES: readonly (readonly [string, unknown])[] = [
    ["type", "int"],
    ["type", ["string", "list"]],
    ["type", "dict"],
    ["type", "set"],
    ["eq", 1],
    ["eq", "ab"],
    ["ne", 1],
    ["in", ["a", "b"]],
    ["in", [1, "ab"]],
    ["not_in", [1, "a"]],
    ["min", 2],
    ["max", 1],
    ["gt", 1],
    ["lt", 2],
    ["minLength", 2],
    ["maxLength", 1],
    ["max_bytes", 2],
    ["matches", "a+"],
    ["not_matches", "b"],
    ["contains", "a"],
    ["not_contains", "a"],
    ["startsWith", "a"],
    ["endsWith", "b"],
  ];
  const BOUND = USES.map(([name, operand]) => {
    const operator = [...OPERATORS.values()].find((it) => it.name === name);
    const check = operator?.checkOperand(operand);
    if (operator === undefined || check?.ok !== true) throw new Error(`no operator ${name}`);
    return { name, operand, passing: VALUES.map(operator.bind(check.operand).holds) };
  });
  const CROSSED = ["min,max", "minLength,maxLength"];

  it("are told from those that some value satisfies, for every pair and many triples of operators", () => {
    const rules = BOUND.flatMap((a, one) =>
      BOUND.slice(one + 1).flatMap((b, two) => [
        [a, b],
        ...BOUND.slice(one + two + 2)
          .filter((_, at) => (at + one) % 4 === 0)
          .map((c) => [a, b, c]),
      ]),
    ).filter((uses) => {
      const names = uses.map(({ name }) => name);
      // A key stands once in a mapping, and crossed bounds are errors of the loader.
      return new Set(names).size === names.length && !CROSSED.some((pair) => `${names}`.includes(pair));
    });
    const permissions = rules.map((uses) => ({
      tool: "t",
      conditions: { input: { x: Object.fromEntries(uses.map(({ name, operand }) => [name, operand])) } },
    }));
    const told = new Set(
      diagnostics({ policies: [{ role: "r", permissions }] })
        .filter(({ code }) => code === "no_value_passes")
        .map(({ documentPath }) => Number(documentPath[3])),
    );
    const impossible = rules.flatMap((uses, at) =>
      VALUES.some((_, value) => uses.every(({ passing }) => passing[value])) ? [] : [at],
    );
    const falsely = [...told].filter((at) => !impossible.includes(at));
    expect(falsely).toEqual([]);
    expect(told.size).toBeGreaterThan(impossible.length * 0.8);
  });

  it("are warned of in outputs too, and not in rules with an action, where any operator is enough", () => {
    expect(codesOfRules("output", { x: { type: "int", startsWith: "a" } })).toEqual(["no_value_passes"]);
    expect(codesOfRules("output", { x: { type: "int", startsWith: "a", action: "redact" } })).toEqual([]);
  });
});

describe("actions that never fire", () => {
  it.each([
    [{ a: { action: "filter" }, "b.a": { action: "redact" } }, ["action_after_removal"]],
    [{ a: { action: "redact" }, "a.b": { action: "redact" } }, ["action_after_removal"]],
    [{ "a.b": { action: "filter" }, "a.b.c": { action: "filter" } }, ["action_after_removal"]],
    [{ $: { action: "redact" }, a: { action: "filter" } }, ["action_after_removal"]],
    [{ a: { action: "redact" }, "b.a": { action: "filter" } }, []],
    [{ "a.b": { action: "filter" }, b: { action: "redact" } }, []],
    [{ a: { action: "filter", startsWith: "x" }, "b.a": { action: "redact" } }, []],
    [{ a: { action: "filter" }, "b.a": { min: 1 } }, []],
    [{ x: { action: "filter", required: false } }, ["action_never_fires"]],
  ])("%j", (rules, expected) => {
    expect(codesOfRules("output", rules)).toEqual(expected);
  });

  it("are looked for across permissions, where the earlier one applies wherever the later one does", () => {
    const permission = (tool: string, rule: object) => ({ tool, conditions: { output: { a: rule } } });
    const entry = (first: string, second: string) => ({
      permissions: [permission(first, { action: "filter" }), permission(second, { action: "redact" })],
    });
    expect(codesOfRole(entry("t.*", "t.a"))).toEqual(["action_after_removal"]);
    expect(codesOfRole(entry("t.a", "t.*"))).toEqual([]);
    const policies = [
      { role: "q", permissions: [permission("t", { action: "filter" })] },
      { role: ["q", "r"], permissions: [permission("t", { action: "redact" })] },
    ];
    expect(codes({ policies })).toEqual([]);
  });
});

describe("what is reported as idle can be taken out", () => {
  /** The outcome of each call after each history of up to two calls, for each set of roles of up to two. */
  function outcomes(document: PolicyDocument, roles: readonly string[], tools: readonly string[]): string {
    const plan = compilePlan(document);
    const histories = [[], ...tools.map((a) => [a]), ...tools.flatMap((a) => tools.map((b) => [a, b]))];
    const sets = roles.flatMap((a, at) => roles.slice(at).map((b) => [a, b]));
    return sets
      .flatMap((set) => {
        const view = plan.view(set);
        return histories.flatMap((history) => {
          const session = new Session();
          for (const tool of history) session.end(session.begin(tool, 0), true);
          return tools.map((tool) => {
            const { denial, space, toolClass } = view.entry(tool);
            if (denial !== undefined) return "-";
            if (space === undefined) return "+";
            return session.tracker(space).denial(session, tool, toolClass, 0) === undefined ? "+" : "s";
          });
        });
      })
      .join("");
  }

  const without = ({ document }: LoadedPolicy, at: readonly (string | number)[]): PolicyDocument => ({
    ...document,
    policies: document.policies.map((entry) => ({
      ...entry,
      permissions: entry.permissions.filter((permission) => permission.at.join() !== at.join()),
      ...(entry.sequence === undefined
        ? {}
        : {
            sequence: {
              ...entry.sequence,
              rules: entry.sequence.rules.filter((rule) => rule.at.join() !== at.join()),
            },
          }),
    })),
  });

  const ENOUGH = 12;

  it("changes no decision, for random policies", () => {
    const tools = ["db.read", "db", "net/post", "net/get", "mail:send", "redact"];
    const tried = new Map<string, number>();
    const changed: string[] = [];
    const enough = () => tried.size === 2 && [...tried.values()].every((count) => count >= ENOUGH);
    for (let seed = 1; seed <= 400 && !enough(); seed++) {
      const { policy } = generateCase(seed);
      const found = diagnostics(policy);
      if (found.some(({ severity }) => severity === "error")) continue;
      const loaded = loadPolicy(JSON.stringify(policy), { now: 0 });
      const roles = [...new Set(loaded.document.policies.flatMap((entry) => entry.roles))];
      for (const { code, documentPath } of found) {
        if (code !== "allow_excuses_nothing" && code !== "grant_forbidden") continue;
        const count = tried.get(code) ?? 0;
        if (count >= ENOUGH) continue;
        tried.set(code, count + 1);
        const before = outcomes(loaded.document, roles, tools);
        if (outcomes(without(loaded, documentPath), roles, tools) !== before)
          changed.push(`${seed} ${code} ${documentPath.join()}`);
      }
    }
    expect(changed).toEqual([]);
    expect(enough()).toBe(true);
  });
});
