import { formatDocumentPath } from "d2-core";
import type { BlockReach, Finding } from "./analysis.js";
import type { Study, Subject } from "./study.js";

/** Of the states that are left, how much one search of the findings may take. */
export const FINDING_SHARE = 0.05;

/** For every block what it does: for whom the label is reached, and a call is then stopped by it and by nothing else. */
export function findBlocks(study: Study, subjects: readonly Subject[]): BlockReach[] {
  return study.document.blocks.map(({ label, tools, at }) => {
    const rule = formatDocumentPath(at);
    const reach = { stops: [] as string[], idle: [] as string[], unknown: [] as string[] };
    for (const subject of subjects) {
      reach[blockDoes(study, subject, label, rule)].push(...subject.alike.map((roles) => roles.join(" + ")));
    }
    return { label, ...study.placed(rule), tools: [...tools], ...reach };
  });
}

function blockDoes(
  study: Study,
  subject: Subject,
  label: string,
  rule: string,
): "stops" | "idle" | "unknown" {
  const { letters } = subject.alphabet;
  const emits = letters.some(({ labels }) => labels.includes(label));
  if (!emits || !letters.some(({ blocks }) => blocks.includes(label))) return "idle";
  const outcome = study.search(
    subject,
    { wanted: ({ labels, blocks }) => labels.includes(label) || blocks.includes(label) },
    (walk) => ({
      pursuit: { label },
      goal: ({ state }, { tool, blocks }) =>
        blocks.includes(label) &&
        state.facts.includes(label) &&
        blocks.every((it) => it === label || !state.facts.includes(it)) &&
        walk.sequenceDenial(state, tool) === undefined,
    }),
    FINDING_SHARE,
  );
  if (outcome.kind === "found") return "stops";
  if (outcome.kind === "closed") return "idle";
  study.stopped(`what the block of \`${label}\` does`, subject, outcome, rule);
  return "unknown";
}

/** Blocks that stop nothing for anybody, and labels that block nothing. */
export function idleFlows(study: Study, blocks: readonly BlockReach[], scope: Finding["scope"]): Finding[] {
  const { document } = study;
  const emitted = new Set(document.labels.flatMap(({ labels }) => labels));
  const blocking = new Set(document.blocks.map(({ label }) => label));
  const idle = blocks
    .filter(({ stops, unknown }) => stops.length === 0 && unknown.length === 0)
    .map(({ label, rule, idle: roles }): Finding => {
      const named = `the block of \`${label}\``;
      const base = { kind: "idle_block", roles, label, ...study.placed(rule) } as const;
      if (!emitted.has(label)) {
        const words = `${named} stops nothing: no tool emits the label, and only the program itself could record it`;
        return { ...base, certain: true, scope: "any user", words };
      }
      const words = `${named} stops nothing: nobody reaches the label and could then call a tool of it otherwise`;
      return { ...base, certain: true, scope, words };
    });
  const unused = document.labels.flatMap(({ labels, tool, at }) =>
    labels
      .filter((label) => !blocking.has(label))
      .map((label): Finding => {
        const words = `\`${tool}\` emits \`${label}\`, which blocks nothing`;
        const rule = study.placed(formatDocumentPath(at));
        return { kind: "idle_label", certain: true, scope: "any user", roles: [], label, words, ...rule };
      }),
  );
  return [...idle, ...unused];
}
