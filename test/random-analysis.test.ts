import { loadPolicy } from "d2-policy";
import { type Answer, analyzePolicy, type Script } from "d2-policy/analyze";
import { configureRbac, d2Guard, runAs, shutdownRbac } from "d2-sdk";
import { expect, it } from "vitest";
import { type AuthoredPolicy, listOf } from "./reference/authored.js";
import { BruteForce } from "./reference/brute-force.js";
import { Dice } from "./reference/dice.js";
import { ReferenceSession } from "./reference/evaluator.js";
import { generateCase } from "./reference/generator.js";

/** How many policies are analysed: `D2_RANDOM_CASES` for longer runs. */
const CASES = Number(process.env["D2_RANDOM_CASES"] ?? 2000);
/** Calls that brute force tries one after the other. */
const LONGEST = 6;

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Every tool pattern that a policy names. */
function idsOf({ metadata, policies }: AuthoredPolicy): string[] {
  const named = [
    ...Object.values(metadata?.tool_groups ?? {}).flatMap((tools) => listOf(tools)),
    ...Object.keys(metadata?.data_flow?.labels ?? {}),
    ...Object.values(metadata?.data_flow?.blocks ?? {}).flatMap((tools) => listOf(tools)),
    ...policies.flatMap(({ permissions, sequence = [] }) => [
      ...listOf<string | { tool?: string; id?: string }>(permissions).map((it) =>
        typeof it === "string" ? it : (it.tool ?? it.id ?? ""),
      ),
      ...("length" in sequence ? sequence : (sequence.rules ?? [])).flatMap((rule) => [
        ...(rule.deny ?? []),
        ...(rule.allow ?? []),
      ]),
    ]),
  ];
  return [...new Set(named.filter((it) => !it.startsWith("@")))];
}

/** Whether the guard itself lets a script run as it is written. */
async function confirmedByGuard(policy: AuthoredPolicy, { roles, steps }: Script): Promise<boolean> {
  const instance = "analysis";
  await configureRbac({ policy, instance, logger: SILENT });
  try {
    return runAs("ann", { roles: [...roles] }, () =>
      steps.every((step) => {
        let ran = false;
        const guarded = d2Guard(step.tool, { instance }, function tool(_args: object): unknown {
          ran = true;
          if ("throws" in step) throw new Error(step.throws);
          return step.returns;
        });
        try {
          guarded(step.args);
          return "returns" in step;
        } catch {
          return "throws" in step && ran; // what it threw may have been withheld
        }
      }),
    );
  } finally {
    await shutdownRbac(instance);
  }
}

function check(answer: Answer, policy: AuthoredPolicy, from: string, to: string, ids: readonly string[]) {
  const brute = new BruteForce(policy, answer.roles, from, to, ids);
  const free = !JSON.stringify(policy).includes('"input"') && !JSON.stringify(policy).includes('"t.');
  switch (answer.answer) {
    case "cannot":
      return { ok: brute.shortest(LONGEST) === undefined, decided: brute.decided };
    case "can": {
      // With input rules a shorter path may have had arguments that could not be made up.
      const shortest = brute.shortest(Math.min(answer.path.length, LONGEST));
      const ok =
        answer.path.length > LONGEST
          ? shortest === undefined
          : free
            ? shortest === answer.path.length
            : shortest !== undefined;
      return { ok, decided: brute.decided };
    }
    case "possible":
      return {
        ok: !free && (answer.path.length > LONGEST || brute.shortest(answer.path.length) !== undefined),
        decided: brute.decided,
      };
    case "stopped":
      return { ok: false, decided: 0 };
  }
}

it("`analyze` agrees with brute force over call sequences, and the guard confirms what it finds", {
  timeout: 3_600_000,
}, async () => {
  const seen = { cannot: 0, can: 0, possible: 0, stopped: 0, long: 0, decided: 0, most: 0 };
  for (let seed = 0; seed < CASES; seed += 1) {
    const { policy, user } = generateCase(seed);
    const dice = new Dice(seed + 77_000_000);
    const patterns = idsOf(policy);
    const ids = patterns.filter((it) => !it.endsWith("*"));
    const references = [
      ...patterns,
      ...Object.keys(policy.metadata?.tool_groups ?? {}).map((name) => `@${name}`),
    ];
    if (references.length === 0) continue;
    const [from, to] = [dice.pick(references), dice.pick(references)];
    const loaded = loadPolicy(policy, { now: 0 });
    const known = user.roles.filter((role) =>
      loaded.document.policies.some(({ roles }) => roles.includes(role)),
    );
    const analyses = [
      analyzePolicy(loaded, { from, to }),
      ...(known.length > 1 ? [analyzePolicy(loaded, { roles: known, from, to })] : []),
    ];
    for (const answer of analyses.flatMap(({ answers }) => answers)) {
      const { ok, decided } = check(answer, policy, from, to, ids);
      if (!ok)
        expect.fail(
          `seed ${seed}, ${from} -> ${to}: ${JSON.stringify(answer)}\n${JSON.stringify(policy, null, 1)}`,
        );
      seen[answer.answer] += 1;
      seen.decided += decided;
      seen.most = Math.max(seen.most, decided);
      if (answer.answer !== "can") continue;
      if (answer.path.length > 2) seen.long += 1;
      if (!(await confirmedByGuard(policy, answer.script)))
        expect.fail(
          `seed ${seed}, not confirmed: ${JSON.stringify(answer)}\n${JSON.stringify(policy, null, 1)}`,
        );
    }
  }
  // Not vacuous: both answers are frequent, and some paths need more calls than two.
  expect(seen.cannot).toBeGreaterThan(CASES / 2);
  expect(seen.can).toBeGreaterThan(CASES / 2);
  expect(seen.long).toBeGreaterThan(CASES / 50);
});

it("a proof for any interleaving holds for calls that overlap", { timeout: 3_600_000 }, () => {
  let proved = 0;
  for (let seed = 0; seed < CASES; seed += 1) {
    const { policy, user, script } = generateCase(seed);
    if (
      script.some((event) => event.do === "open") ||
      script.every((event, at) => at % 2 === 0 || event.do === "end")
    )
      continue;
    const loaded = loadPolicy(policy, { now: 0 });
    const roles = user.roles.filter((role) => loaded.document.policies.some((it) => it.roles.includes(role)));
    if (roles.length === 0) continue;
    const session = new ReferenceSession(policy, user);
    const calls = new Map<number, number>();
    const allowed: string[] = [];
    for (const event of script) {
      if (event.do === "start") {
        if (event.parent !== null && !calls.has(event.parent)) continue;
        const parent = event.parent === null ? null : (calls.get(event.parent) ?? null);
        const { call } = session.start(event.tool, event.args, parent);
        if (call === undefined) continue;
        calls.set(event.id, call);
        allowed.push(event.tool);
      } else if (event.do === "end") {
        const call = calls.get(event.call);
        if (call !== undefined) session.end(call, event.ending);
        calls.delete(event.call);
      }
    }
    const [last = "", ...before] = allowed.reverse();
    for (const from of new Set(before)) {
      const [answer] = analyzePolicy(loaded, { roles, from, to: last }).answers;
      if (answer?.answer === "cannot" && answer.covers === "any interleaving")
        expect.fail(`seed ${seed}, ${from} -> ${last}: ${JSON.stringify(answer)}\n${JSON.stringify(policy)}`);
      proved += 1;
    }
  }
  expect(proved).toBeGreaterThan(CASES / 10);
});
