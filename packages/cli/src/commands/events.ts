import { setTimeout as pause } from "node:timers/promises";
import { namedApp } from "../cloud/app-name.js";
import { ControlPlane } from "../cloud/control-plane.js";
import { accessOf } from "../cloud/credentials.js";
import { columns, itemsOf, membersOf, wordOf } from "../cloud/members.js";
import { type Options, type Run, textOption } from "../command.js";
import { type ExitCode, OK } from "../exit-code.js";
import type { Terminal } from "../terminal.js";
import { wholeNumber } from "../whole-number.js";

/** Milliseconds between two questions of `--follow`. */
const INTERVAL = 1000;

type Event = Readonly<Record<string, unknown>>;

export const runEvents: Run = async (_args, options, terminal) => {
  const plane = new ControlPlane(accessOf(terminal, options));
  const limit = wholeNumber(options, "limit") ?? 50;
  const events = (await ask(plane, options, terminal, { order: "newest", limit })).reverse();
  const json = options["json"] === true;
  if (options["follow"] !== true) {
    if (json) terminal.printJson("events", { events });
    else if (events.length === 0) terminal.print("no events\n");
    else terminal.print(columns([HEAD, ...events.map(cells)]));
    return OK;
  }
  return follow(plane, options, terminal, events);
};

/** Prints line by line until it is told to end: with `--json` an event a line. */
async function follow(
  plane: ControlPlane,
  options: Options,
  terminal: Terminal,
  first: readonly Event[],
): Promise<ExitCode> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  let cursor: string | undefined;
  let events = first;
  for (;;) {
    for (const event of events) {
      cursor = wordOf(event["id"]);
      terminal.print(
        options["json"] === true ? `${JSON.stringify(event)}\n` : `${cells(event).join("  ")}\n`,
      );
    }
    try {
      await pause(INTERVAL, undefined, { signal: stop.signal });
    } catch {
      return OK;
    }
    events = await ask(plane, options, terminal, { order: "oldest", limit: 1000, cursor: cursor ?? "0" });
  }
}

async function ask(
  plane: ControlPlane,
  options: Options,
  terminal: Terminal,
  page: { readonly order: string; readonly limit: number; readonly cursor?: string },
): Promise<Event[]> {
  const filters = ["type", "tool", "user", "result", "reason", "from", "to"] as const;
  const { body } = await plane.ask({
    path: "/v1/events",
    query: {
      app_name: namedApp(terminal, options),
      ...Object.fromEntries(filters.map((name) => [name, textOption(options, name)])),
      ...page,
    },
  });
  return [...itemsOf(membersOf(body)["events"])];
}

const HEAD = ["time", "event", "tool", "user", "result", "reason"];

function cells(event: Event): string[] {
  const { occurred_at: time, event_type: type } = event;
  const { tool_id: tool, user_id: user, result, reason } = membersOf(event["payload"]);
  return [time, type, tool, user, result, reason].map(wordOf);
}
