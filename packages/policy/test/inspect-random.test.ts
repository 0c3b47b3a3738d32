import { compilePlan } from "d2-core";
import { type LoadedPolicy, loadPolicy } from "d2-policy";
import { describePolicy, descriptionText, matrixOf, matrixText } from "d2-policy/inspect";
import { describe, expect, it } from "vitest";
import { generateCase } from "../../../test/reference/generator.js";

/** The policies of the first 300 seeds. Loading refuses some of them: a group may have come out empty. */
function policies(): LoadedPolicy[] {
  const loaded: LoadedPolicy[] = [];
  for (let seed = 1; loaded.length < 300; seed++) {
    try {
      loaded.push(loadPolicy(generateCase(seed).policy, { now: 0 }));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("was not loaded")) throw error;
    }
  }
  return loaded;
}

const ALL = policies();
const exact = (tool: string) => !tool.endsWith("*");
const roleNames = ({ document }: LoadedPolicy) => [
  ...new Set(document.policies.flatMap(({ roles }) => roles)),
];

describe("for 300 random policies", () => {
  it("every role and every permission is told, and nothing is thrown", () => {
    for (const policy of ALL) {
      const description = describePolicy(policy);
      const text = descriptionText(description, { verbose: true });
      expect(description.roles.map(({ role }) => role)).toEqual(roleNames(policy));
      for (const { role, permissions } of description.roles) {
        expect(text).toMatch(new RegExp(`^[├└]─ ${role}$`, "m"));
        const own = policy.document.policies.filter(({ roles }) => roles.includes(role));
        expect(permissions.map(({ tool }) => tool)).toEqual(
          own.flatMap((entry) => entry.permissions.map(({ tool }) => tool)),
        );
        for (const { rule } of permissions) expect(text.replaceAll(/\n[│ ]*/g, " ")).toContain(rule);
      }
      for (const { rules } of description.roles.flatMap(({ permissions }) => permissions)) {
        for (const { words } of rules) expect(words).not.toMatch(/undefined|null null|\[object/);
      }
    }
  });

  it("the matrix says of each tool what the plan says", () => {
    const wrong: unknown[] = [];
    for (const policy of ALL.slice(0, 150)) {
      const plan = compilePlan(policy.document);
      const matrix = matrixOf(policy);
      expect(matrixText(matrix).endsWith("\n")).toBe(true);
      for (const { tool, cells } of matrix.rows.filter((row) => exact(row.tool))) {
        for (const [at, role] of matrix.roles.entries()) {
          const { denial, input, output } = plan.view([role]).entry(tool);
          const allowed = input === undefined && output === undefined ? ["allow"] : ["conditions"];
          const expected =
            denial === undefined ? allowed : denial.rule === undefined ? ["none"] : ["forbidden"];
          if (cells[at] !== expected[0]) wrong.push([tool, role, cells[at]]);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("what a user with all roles is told of each tool is what the plan says", () => {
    for (const policy of ALL.slice(0, 150)) {
      const userRoles = roleNames(policy);
      const view = compilePlan(policy.document).view(userRoles);
      for (const { tool, effect, rules } of describePolicy(policy, { userRoles }).user?.tools ?? []) {
        if (!exact(tool)) continue;
        const { denial, input } = view.entry(tool);
        expect([tool, effect]).toEqual([tool, denial === undefined ? "allow" : "forbid"]);
        if (denial === undefined) {
          const told = rules.filter(({ kind }) => kind === "input").map(({ rule }) => rule);
          expect((input?.rules ?? []).map(({ at }) => at)).toEqual(expect.arrayContaining(told));
        }
      }
    }
  });
});
