import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { blocksWith } from "./docs/blocks.js";

// The programs run as users run them: compiled, each in a process of its own. `npm test` compiles them first.
const home = new URL("../examples/", import.meta.url);
const run = promisify(execFile);

interface Run {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a terminal. Rejects when its exit code is not 0. */
async function runExample(name: string, environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  const program = fileURLToPath(new URL(`${name}/main.js`, home));
  // Policies that lie about on the machine, and colours that were asked for, are no part of the test.
  const { D2_POLICY_FILE: _, FORCE_COLOR: __, NO_COLOR: ___, ...inherited } = process.env;
  return run(process.execPath, [program], { env: { ...inherited, ...environment }, timeout: 60_000 });
}

const programs = readdirSync(home, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/main.ts`, home)))
  .map((entry) => entry.name);

/** What each small example must say; that its assertions hold is what exit code 0 says. */
const KEY_LINES: Readonly<Record<string, readonly RegExp[]>> = {
  agentdojo: [/^AgentDojo, recorded Slack traces$/m],
  "cloud-tour": [
    /version 1 of `support-agent` is live/,
    /2 calls by the agent, both denied: policy_unavailable/,
    /started without it, from the copy on disk: version 2 of support-agent/,
    /web\.post +support-bot +denied +sequence_violation/,
  ],
  "data-flow": [
    /deny +post what the helper read\n +data_flow_violation by metadata\.data_flow\.blocks\.PERSONAL$/m,
  ],
  "decision-log": [/10000 calls, \d+ events/, /the end is cut off\n +missing_tail at the end/],
  "defence-in-depth": [
    /no_context$/m,
    /missing_policy$/m,
    /input_validation by /,
    /output_sanitization by /,
    /sequence_violation by /,
    /data_flow_violation by /,
  ],
  guardrails: [
    /deny +SQL in the query\n +input_validation by .*\.input\.query$/m,
    /is +\{"name":"Ada Example","email":"\[REDACTED\]","notes":"write to \[REDACTED\] or call"/,
    /deny +a private key\n +output_sanitization by .*\.deny_if_patterns$/m,
  ],
  "local-mode": [
    /deny +a gardener opens the window/,
    /allow +a gardener opens the window/,
    /did you mean `permissions`/,
  ],
  "multi-role": [
    /deny +june \(analyst-junior\): reports\.generate/,
    /allow +senna .*: forecasts\.run/,
    /deny +cole \(contractor, hr\): salaries\n +rbac_denied by /,
    /deny +mallory \(\*\): repo\.read/,
  ],
  policies: [
    /A support desk\n +16 tests pass/,
    /admin: @egress after table\.read_health\?\n +cannot /,
    /shell\.run after web\.fetch\?\n +can .*\n +1\. `web\.fetch`.*\n +2\. `ask\.user`/,
  ],
  sequence: [
    /A direct leak is blocked\n.*\n +deny +send them to the web\n +sequence_violation/,
    /The internal workflow is allowed\n +allow .*\n +allow .*\n +allow +mail the result/,
    /A trail hidden behind other calls is blocked(\n +allow .*){4}\n +deny /,
    /A leak of secrets is blocked(\n +allow .*){2}\n +deny +mail it/,
    /An admin has no sequence rules to break(\n +allow .*){2}/,
  ],
  "sequence-modes": [/deny +approve what was not tested/, /deny +approve all the same/],
  "ten-minutes": [
    /^deny +refund 700: input_validation$/m,
    /^deny +mail what was found: sequence_violation$/m,
  ],
  "ten-lines": [/^the numbers of spring\nPermissionDeniedError: `reports\.read` was refused, rbac_denied/],
  "web-app": [/\b403\b/],
};

describe("the examples", () => {
  it("are all known to this test", () => {
    expect(programs).toEqual(["agent-demo", ...Object.keys(KEY_LINES)].sort());
  });

  it.each(Object.entries(KEY_LINES))(
    "%s ends well and shows what it is about",
    { timeout: 60_000 },
    async (name, lines) => {
      const { stdout } = await runExample(name);
      for (const line of lines) expect(stdout).toMatch(line);
      if (name === "decision-log")
        expect(stdout).toContain(blocksWith("docs/decisions.md", "text audit")[0]?.text);
    },
  );
});

describe("the program behind `npm start`", () => {
  let stdout: string;
  let unguarded: string;
  let guarded: string;
  let replay: string;

  beforeAll(async () => {
    const ended = await runExample("agent-demo");
    expect(ended.stderr).toBe("");
    stdout = ended.stdout;
    const parts = stdout.split(/^(?=1\. Without a policy|2\. With a policy|AgentDojo,|Where to go)/m);
    expect(parts).toHaveLength(5);
    [, unguarded = "", guarded = "", replay = ""] = parts;
  });

  /** The numbers in the first line that matches. */
  function numbers(text: string, line: RegExp): number[] {
    const found = text.match(line)?.slice(1).map(Number) ?? [];
    expect(found, `${line}`).not.toHaveLength(0);
    return found;
  }

  const OUTSIDE = /^ {2}outside {2}(\d+) messages.*?, (\d+) customer records of (\d+) people$/m;

  it("is plain text of at most 100 columns without a terminal", () => {
    expect(stdout).not.toContain("\u001b");
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  it("leaks the customers without a policy", () => {
    expect(numbers(unguarded, OUTSIDE)).toEqual([2, 600, 300]);
    expect(unguarded).toMatch(
      /^ {2}sample +\{"id":\d+,"name":".+","email":".+@mail\.example","ssn":"9\d\d-\d\d-\d{4}"\}$/m,
    );
    expect(numbers(unguarded, /^ {2}database (\d+) of 300 customers/m)).toEqual([1]);
  });

  it("lets nothing out with a policy", () => {
    expect(numbers(guarded, OUTSIDE)).toEqual([0, 0, 0]);
    expect(guarded).not.toContain("sample");
    expect(numbers(guarded, /^ {2}database (\d+) of 300 customers/m)).toEqual([0]);
  });

  it("does the useful part of the task both times, and cleans it with a policy", () => {
    const mail = /1 mail to the colleagues:\n +\| 3 open tickets\n/;
    expect(unguarded).toMatch(mail);
    expect(unguarded).toMatch(/\| #1 .*@mail\.example/);
    expect(unguarded).toMatch(/\| #4 .* 9\d\d-\d\d-\d{4}/);
    expect(guarded).toMatch(mail);
    expect(guarded).toMatch(/\| #1 .*\[REDACTED\]/);
    expect(guarded).toMatch(/\| #4 .*\[REDACTED\]/);
    expect(guarded).not.toMatch(/@mail\.example|\d{3}-\d\d-\d{4}/);
  });

  it("lists each call with its decision, reason and rule, and every layer has its turn", () => {
    const table = guarded.split("\n").flatMap((line) => {
      const row = /^(\S+(?: \S+)?) {2,}(allow|deny)(?: +(\S+) +(\S+))?$/.exec(line);
      return row === null ? [] : [row.slice(1)];
    });
    const rule = "policies[0].permissions";
    expect(table).toEqual([
      ["tickets.list_open", "allow", undefined, undefined],
      ["crm.export", "deny", "rbac_denied", `${rule}[3]`],
      ["crm.list 300", "deny", "input_validation", `${rule}[2].conditions.input.limit`],
      ["crm.list 20", "allow", undefined, undefined],
      ["web.post /collect", "deny", "sequence_violation", "policies[0].sequence[0]"],
      ["mail.send mallory", "deny", "input_validation", `${rule}[4].conditions.input.to`],
      ["crm.change_email 7", "deny", "data_flow_violation", "metadata.data_flow.blocks.UNTRUSTED"],
      ["mail.send leads", "allow", undefined, undefined],
    ]);
  });

  it("replays the recorded traces and gives numbers that agree with one another", () => {
    const recorded: { pairs: { calls: { by: string }[] }[] } = JSON.parse(
      readFileSync(new URL("../data/agentdojo/slack.pairs.json", import.meta.url), "utf8"),
    );
    const calls = recorded.pairs.flatMap((pair) => pair.calls);
    const [injected, benign] = ["injected", "user"].map(
      (by) => calls.filter((call) => call.by === by).length,
    );
    const share = " +(\\d+) of (\\d+) +\\d+% +(\\d+) of (\\d+) +\\d+%$";
    const row = (what: string) => numbers(replay, new RegExp(`^ {2}${what}${share}`, "m"));
    const [stoppedByOrder = 0, , stopped = 0] = row("injected calls stopped");
    const [lostByOrder = 0, , lost = 0] = row("calls of the tasks lost");
    expect(row("injected calls stopped")).toEqual([stoppedByOrder, injected, stopped, injected]);
    expect(row("calls of the tasks lost")).toEqual([lostByOrder, benign, lost, benign]);
    expect(row("tasks that ran whole")[3]).toBe(recorded.pairs.length);

    const layers = [...replay.matchAll(/^ {2}\w+ +(\d+) stopped +(\d+) lost$/gm)];
    const sum = (column: number) => layers.reduce((total, layer) => total + Number(layer[column]), 0);
    expect([sum(1), sum(2)]).toEqual([stopped, lost]);

    const through = [...replay.matchAll(/^ {2}(\d+) of (\d+) +\S/gm)];
    const unharmed = row("attacks that changed or sent nothing")[2] ?? 0;
    expect(through.reduce((total, [, count]) => total + Number(count), 0)).toBe(
      recorded.pairs.length - unharmed,
    );

    // What the comments in the policies say of each other.
    expect(stopped).toBeGreaterThan(stoppedByOrder);
    expect(lostByOrder / lost).toBeGreaterThan(4);
  });
});
