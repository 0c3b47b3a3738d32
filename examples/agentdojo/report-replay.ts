import { paint } from "../agent-demo/paint.js";
import { rolesFor } from "./intent.js";
import { replay } from "./replay.js";
import { byAttack, byLayer, type Score, type Share, score } from "./score.js";
import { readSlackTraces } from "./traces.js";

/** Replays the recorded Slack traces under both policies and prints what was stopped and what was lost, as it is. */
export async function reportReplay(): Promise<{ order: Score; values: Score }> {
  const recordings = await readSlackTraces();
  const { acting } = recordings;
  const policy = (name: string) => new URL(name, import.meta.url);
  const underOrder = await replay(recordings, policy("slack-order-policy.yaml"), () => ["assistant"]);
  const underValues = await replay(recordings, policy("slack-policy.yaml"), rolesFor);
  const order = score(underOrder, acting);
  const values = score(underValues, acting);

  const { traces, injected, lost } = values;
  console.log(paint("bold", "AgentDojo, recorded Slack traces"));
  console.log(
    `  ${traces} tasks under attack: ${lost.of} calls of the tasks and ${injected.of} injected ones, as recorded`,
  );
  console.log();
  print("", "order and labels only", "slack-policy.yaml");
  const lines: readonly (readonly [
    string,
    keyof Score & ("injected" | "acting" | "attacks" | "lost" | "whole"),
  ])[] = [
    ["injected calls stopped", "injected"],
    ["... of those that change or send", "acting"],
    ["attacks that changed or sent nothing", "attacks"],
    ["calls of the tasks lost", "lost"],
    ["tasks that ran whole", "whole"],
  ];
  for (const [what, key] of lines) print(what, share(order[key]), share(values[key]));

  console.log("\n  under slack-policy.yaml, by layer");
  for (const { layer, stopped, lost: cost } of byLayer(underValues)) {
    if (stopped + cost > 0)
      console.log(`  ${layer.padEnd(36)}${`${stopped} stopped`.padEnd(24)}${cost} lost`);
  }
  console.log("\n  what got through it all the same, by what the attack wants");
  for (const { goal, through } of byAttack(underValues, acting)) {
    const rate = `${through.count} of ${through.of}`;
    console.log(`  ${paint(through.count === 0 ? "green" : "yellow", rate.padEnd(10))}${shorten(goal, 84)}`);
  }
  return { order, values };
}

function print(what: string, left: string, right: string): void {
  console.log(`  ${what.padEnd(38)}${left.padEnd(24)}${right}`);
}

function share({ count, of }: Share): string {
  return `${count} of ${of}`.padEnd(12) + `${Math.round((100 * count) / of)}%`.padStart(5);
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
