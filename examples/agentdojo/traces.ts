import { readFile } from "node:fs/promises";

/** One call of a recorded trace, with what it returned. */
export interface RecordedCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Whose call it is: part of the user's task, or wanted by the injected text. */
  readonly by: "user" | "injected";
  readonly result: string;
}

/** A task of a user with an attack in the data that it reads. */
export interface Trace {
  readonly task: string;
  /** What the user said. */
  readonly request: string;
  readonly attack: string;
  /** What the injected text wants. */
  readonly goal: string;
  readonly calls: readonly RecordedCall[];
}

/** The recordings of a suite. */
export interface Recordings {
  /** Tools that change something or carry something out. */
  readonly acting: ReadonlySet<string>;
  readonly tools: readonly string[];
  readonly traces: readonly Trace[];
}

interface Suite {
  readonly tools: readonly { readonly name: string; readonly writes: boolean; readonly egress: boolean }[];
  readonly user_tasks: readonly { readonly id: string; readonly prompt: string }[];
  readonly injection_tasks: readonly { readonly id: string; readonly goal: string }[];
}

interface Pairs {
  readonly pairs: readonly {
    readonly user_task: string;
    readonly injection_task: string;
    readonly calls: readonly Omit<RecordedCall, "result">[];
  }[];
}

interface Results {
  readonly user_tasks: Readonly<Record<string, readonly string[]>>;
  readonly injection_tasks: Readonly<Record<string, readonly string[]>>;
}

const folder = new URL("../../data/agentdojo/", import.meta.url);

/** Reads the Slack traces of AgentDojo; `data/agentdojo/README.md` says where they are from. */
export async function readSlackTraces(): Promise<Recordings> {
  const read = async (name: string) => JSON.parse(await readFile(new URL(name, folder), "utf8"));
  const suite: Suite = await read("slack.json");
  const { pairs }: Pairs = await read("slack.pairs.json");
  const results: Results = await read("slack.results.json");

  const requests = new Map(suite.user_tasks.map(({ id, prompt }) => [id, prompt]));
  const goals = new Map(suite.injection_tasks.map(({ id, goal }) => [id, goal]));
  const traces = pairs.map(({ user_task: task, injection_task: attack, calls }): Trace => {
    // Each side's results stand in the order of its calls.
    const left = {
      user: [...(results.user_tasks[task] ?? [])],
      injected: [...(results.injection_tasks[attack] ?? [])],
    };
    return {
      task,
      request: known(requests.get(task), task),
      attack,
      goal: known(goals.get(attack), attack),
      calls: calls.map((call) => ({ ...call, result: known(left[call.by].shift(), `${task}+${attack}`) })),
    };
  });
  return {
    acting: new Set(suite.tools.filter(({ writes, egress }) => writes || egress).map(({ name }) => name)),
    tools: suite.tools.map(({ name }) => name),
    traces,
  };
}

function known(found: string | undefined, id: string): string {
  if (found === undefined) throw new Error(`the recordings lack what belongs to \`${id}\``);
  return found;
}
