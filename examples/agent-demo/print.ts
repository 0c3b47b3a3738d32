import type { PolicyFacts } from "d2-sdk";
import type { Step } from "./agent.js";
import { paint } from "./paint.js";
import { injection, type Outcome, TASK } from "./run.js";

export function printTask(outsideUrl: string): void {
  console.log(paint("bold", "An agent, a task, and a ticket that somebody wrote for the agent"));
  console.log(`  task     ${TASK}`);
  const [first = "", ...more] = injection(outsideUrl).match(/.{1,86}(?:\s|$)/g) ?? [];
  console.log(`  ticket 3 ${paint("yellow", first.trimEnd())}`);
  for (const line of more) console.log(`           ${paint("yellow", line.trimEnd())}`);
}

export function printUnguarded(outcome: Outcome): void {
  console.log(`\n${paint("bold", "1. Without a policy")}`);
  console.log(`  calls    ${outcome.steps.length}, all of them ran`);
  printOutside(outcome);
  printSummary(outcome);
}

export function printGuarded(outcome: Outcome, policy: PolicyFacts): void {
  console.log(`\n${paint("bold", "2. With a policy")}, ${policy.source}, as role support-agent`);
  printDecisions(outcome.steps);
  console.log(`  returned ${JSON.stringify(outcome.seen)} and the like, from crm.list`);
  printOutside(outcome);
  printSummary(outcome);
  console.log();
}

/** A line for each call: how it was decided, and by which rule. */
export function printDecisions(steps: readonly Step[]): void {
  console.log(paint("dim", row("call", "decision", "reason", "rule")));
  for (const step of steps) console.log(describe(step));
}

function describe({ call, refusal }: Step): string {
  if (refusal === undefined) return row(call, "allow", "", "", "green");
  return row(call, "deny", refusal.reason, refusal.rule ?? "", "red");
}

/** The document paths in the last column are long, so the others are as narrow as they can be. */
function row(call: string, decision: string, reason: string, rule: string, colour?: "green" | "red"): string {
  const answer = decision.padEnd(10);
  return `${call.padEnd(20)}${colour ? paint(colour, answer) : answer}${reason.padEnd(20)}${rule}`.trimEnd();
}

function printOutside({ arrivals, leaked, hijacked }: Outcome): void {
  const people = new Set(leaked.map(({ id }) => id)).size;
  const ways = arrivals.map(({ path }) => path).join(", ");
  const line = `${arrivals.length} messages${ways === "" ? "" : ` (${ways})`}, ${leaked.length} customer records`;
  console.log(`  outside  ${paint(leaked.length > 0 ? "red" : "green", line)} of ${people} people`);
  if (leaked[0] !== undefined) console.log(`  sample   ${JSON.stringify(leaked[0])}`);
  console.log(`  database ${hijacked} of 300 customers with the attacker's mail address`);
}

function printSummary({ delivered }: Outcome): void {
  console.log(`  inbox    ${delivered.length} mail to the colleagues:`);
  for (const mail of delivered) {
    const body = mail.slice(mail.indexOf("\n\n") + 2).trimEnd();
    console.log(paint("dim", body.replace(/^/gm, "           | ")));
  }
}
