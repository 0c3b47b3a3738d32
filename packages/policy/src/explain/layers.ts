import { type Decision, judgeInput } from "d2-core";
import type { LayerVerdict } from "./explanation.js";
import { entryOf, type Situation, sequenceDenial, sessionOf } from "./situation.js";

type Would = Pick<LayerVerdict, "would" | "reason" | "rule" | "detail">;

const PASS: Would = { would: "pass" };
const NO_RULES: Would = { would: "no_rules" };

/** What every layer says of the call, in the order in which they are asked, also after the first that denies. */
export function layersOf(situation: Situation, release: Decision | undefined): LayerVerdict[] {
  const asked: [LayerVerdict["layer"], Would][] = [
    ["policy_state", policyState(situation)],
    ["context", situation.roles === undefined ? denies("no_context") : PASS],
    ["permission", permission(situation)],
    ["sequence", sequence(situation)],
    ["data_flow", dataFlow(situation)],
    ["input", input(situation)],
    ["output", output(situation, release)],
  ];
  let denied = false;
  return asked.map(([layer, would]) => {
    const unseen = layer === "output" && release === undefined && would.would !== "no_rules";
    const verdict = denied || unseen || would.would === "unknown" ? "not_reached" : would.would;
    denied ||= would.would === "deny";
    return { layer, verdict, ...would };
  });
}

function policyState({ state }: Situation): Would {
  if (state === "current") return PASS;
  return denies(state === "expired" ? "policy_expired" : "policy_unavailable");
}

function permission(situation: Situation): Would {
  const entry = entryOf(situation);
  if (entry === undefined) return { would: "unknown" };
  return entry.denial === undefined ? PASS : wouldOf(entry.denial);
}

function sequence(situation: Situation): Would {
  const entry = entryOf(situation);
  if (entry === undefined) return { would: "unknown" };
  if (entry.space === undefined) return NO_RULES;
  const denial = sequenceDenial(situation);
  if (denial === undefined) return PASS;
  const { rule, reason } = denial;
  return { ...denies("sequence_violation"), rule, ...(reason === undefined ? {} : { detail: reason }) };
}

function dataFlow(situation: Situation): Would {
  const entry = entryOf(situation);
  if (entry === undefined) return { would: "unknown" };
  if (entry.blocks.length === 0) return NO_RULES;
  const { facts } = sessionOf(situation);
  const block = entry.blocks.find(({ label }) => facts.has(label));
  return block === undefined ? PASS : wouldOf(block.denial);
}

function input(situation: Situation): Would {
  const entry = entryOf(situation);
  if (entry === undefined) return { would: "unknown" };
  if (entry.input === undefined) return NO_RULES;
  let verdict: ReturnType<typeof judgeInput>;
  try {
    verdict = judgeInput(entry.input, situation.names, situation.args);
  } catch {
    return denies("evaluation_error"); // as the guard answers; what was thrown may hold argument values
  }
  if (verdict.ok) return PASS;
  const { rule, detail } = verdict;
  return { ...denies("input_validation"), rule, ...(detail === undefined ? {} : { detail }) };
}

function output(situation: Situation, release: Decision | undefined): Would {
  if (entryOf(situation)?.output === undefined) return NO_RULES;
  if (release === undefined) return { would: "unknown" };
  return release.outcome === "allow" ? PASS : wouldOf(release);
}

function denies(reason: string): Would {
  return { would: "deny", reason };
}

function wouldOf({ reason, rule, detail }: Decision): Would {
  return {
    would: "deny",
    reason,
    ...(rule === undefined ? {} : { rule }),
    ...(detail === undefined ? {} : { detail }),
  };
}
