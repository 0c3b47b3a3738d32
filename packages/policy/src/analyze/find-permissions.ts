import { formatDocumentPath, type InputPlan, type InputRule } from "d2-core";
import type { Finding } from "./analysis.js";
import type { Study, Subject } from "./study.js";

/** Permissions that do nothing, and input rules that nothing satisfies. */
export function findPermissions(
  study: Study,
  subjects: readonly Subject[],
  scope: Finding["scope"],
): Finding[] {
  return [...idlePermissions(study, subjects), ...unsatisfiable(study, subjects, scope)];
}

function idlePermissions(study: Study, subjects: readonly Subject[]): Finding[] {
  const { document } = study;
  const asked = new Set(subjects.flatMap(({ alike }) => alike.flat()));
  const forbidden = new Map<string, Set<string>>();
  for (const { roles, permissions } of document.policies) {
    const tools = permissions.filter(({ allow }) => !allow).flatMap(({ tool }) => study.toolsOf(tool));
    for (const role of roles) {
      const own = forbidden.get(role) ?? new Set();
      for (const tool of tools) own.add(tool);
      forbidden.set(role, own);
    }
  }
  return document.policies.flatMap(({ roles, permissions }) => {
    const own = roles.filter((role) => asked.has(role));
    if (own.length === 0) return [];
    const who = own.map((role) => `\`${role}\``).join(", ");
    return permissions.flatMap(({ tool, allow, at }): Finding[] => {
      const tools = study.toolsOf(tool);
      const base = {
        certain: true,
        scope: "any user",
        roles: own,
        ...study.placed(formatDocumentPath(at)),
      } as const;
      if (tools.length === 0) return [];
      if (!allow && !tools.some((it) => study.granted.has(it))) {
        const words = `\`allow: false\` for \`${tool}\` forbids nothing: no role is granted a tool of it`;
        return [{ kind: "idle_forbid", ...base, tool, words }];
      }
      if (allow && own.every((role) => tools.every((it) => forbidden.get(role)?.has(it)))) {
        const words = `${who} is granted \`${tool}\` and forbidden all of it: \`allow: false\` holds`;
        return [{ kind: "shadowed_permission", ...base, tool, words }];
      }
      return [];
    });
  });
}

function unsatisfiable(study: Study, subjects: readonly Subject[], scope: Finding["scope"]): Finding[] {
  const found = new Map<InputPlan, { tool: string; roles: string[] }>();
  for (const { walk, alphabet, alike } of subjects) {
    for (const { tool } of alphabet.letters.flatMap(({ tools }) => tools)) {
      const { input } = walk.view.entry(tool);
      if (input === undefined || study.samples.argumentsFor(walk.view, tool) !== undefined) continue;
      const known = found.get(input);
      if (known === undefined) found.set(input, { tool, roles: alike.flat() });
      else known.roles.push(...alike.flat().filter((role) => !known.roles.includes(role)));
    }
  }
  return [...found].map(([input, { tool, roles }]): Finding => {
    const [first] = input.rules;
    const place = first === undefined ? {} : study.placed(first.at);
    const base = { kind: "unsatisfiable_input", scope, roles, tool, ...place } as const;
    const path = contradiction(input.rules);
    const words =
      path === undefined
        ? `no arguments could be made up that satisfy the input rules of \`${tool}\`: it may be that none do`
        : `no call of \`${tool}\` satisfies its input rules: no value of \`${path}\` is within all its bounds`;
    return { ...base, certain: path !== undefined, words };
  });
}

/** A required argument whose lower bound is above its upper one. */
function contradiction(rules: readonly InputRule[]): string | undefined {
  const required = new Set(rules.filter(({ required: it }) => it !== undefined).map(({ path }) => path));
  return [...required].find((path) => {
    const bounds = rules
      .filter((rule) => rule.path === path)
      .flatMap(({ checks }) => checks.map(({ violation }) => violation));
    const of = (...operators: readonly string[]) =>
      bounds.flatMap(({ operator, operand }) =>
        operators.includes(operator) && typeof operand === "number" ? [operand] : [],
      );
    const [low, high] = [Math.max(...of("min", "gt")), Math.min(...of("max", "lt"))];
    const strict = of("gt").includes(low) || of("lt").includes(high);
    return low > high || (low === high && strict);
  });
}
