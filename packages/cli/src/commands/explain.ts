import { explainCall, explainText } from "d2-policy/explain";
import { listOption, type Options, type Run, textOption } from "../command.js";
import { ANSWER_IS_NO, OK } from "../exit-code.js";
import { openPolicy } from "../policy-file.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

export const runExplain: Run = async (_args, options, terminal) => {
  const tool = textOption(options, "tool");
  if (tool === undefined) throw new UsageError("say which call: `--tool` names the tool that is called");
  onlyOneReadsInput(options);
  const { policy, locate, file } = await openPolicy(terminal, textOption(options, "policy"));
  const id = textOption(options, "user");
  const roles = listOption(options, "roles");
  if (id === undefined && roles !== undefined) {
    throw new UsageError("`--roles` are those of a user: say who it is with `--user`");
  }
  const args = await readArguments(options, terminal);
  const output = await readJson(options, "output", terminal);
  const explanation = explainCall(
    policy,
    {
      tool,
      user: id === undefined ? undefined : { id, roles: roles ?? [] },
      args,
      params: listOption(options, "params"),
      history: listOption(options, "history"),
      facts: listOption(options, "facts"),
      output: output === undefined ? undefined : { value: output.value },
    },
    { now: terminal.now(), values: options["values"] === true, locate },
  );
  if (options["json"] === true) terminal.printJson("explain", { policy: file, ...explanation });
  else terminal.print(explainText(explanation, terminal.marks, file));
  const denied = [explanation.decision, explanation.release?.decision].some((it) => it?.outcome === "deny");
  return denied && options["check"] === true ? ANSWER_IS_NO : OK;
};

function onlyOneReadsInput(options: Options): void {
  const readers = ["policy", "args", "output"].filter((name) => options[name] === "-");
  if (readers.length > 1) {
    const names = readers.map((name) => `\`--${name}\``).join(" and ");
    throw new UsageError(`standard input is read once, and ${names} want it: give all but one another way`);
  }
}

async function readArguments(
  options: Options,
  terminal: Terminal,
): Promise<Readonly<Record<string, unknown>> | readonly unknown[] | undefined> {
  const read = await readJson(options, "args", terminal);
  if (read === undefined) return undefined;
  const { value } = read;
  if (typeof value !== "object" || value === null) {
    throw new UsageError('`--args` must be a mapping of names (`{"limit": 10}`) or, with `--params`, a list');
  }
  // `JSON.parse` makes nothing else of text that is an object.
  return Array.isArray(value) ? value : (value as Record<string, unknown>);
}

async function readJson(
  options: Options,
  name: string,
  terminal: Terminal,
): Promise<{ readonly value: unknown } | undefined> {
  const given = textOption(options, name);
  if (given === undefined) return undefined;
  const text = given === "-" ? await terminal.input() : given;
  try {
    return { value: JSON.parse(text) };
  } catch {
    // The parser's own words quote the text, which may be anybody's data.
    throw new UsageError(
      `\`--${name}\` is no JSON: mind the quotes of the shell, or give it as \`-\` and pipe it in`,
    );
  }
}
