/** A case for the random comparison: a policy, a user, and what happens. */
import type { AuthoredPolicy, Ending, User } from "./authored.js";

/**
 * What happens, in order. Calls and sessions are named by ids of the script; the session 0 is the outermost.
 * An event about a call that was refused, or inside of one, does not happen: the runner passes over it.
 */
export type Event =
  | {
      readonly do: "start";
      readonly id: number;
      readonly session: number;
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly parent: number | null;
    }
  | { readonly do: "end"; readonly call: number; readonly ending: Ending }
  | {
      readonly do: "open";
      readonly id: number;
      readonly outer: number;
      readonly within: number | null;
      readonly user: User;
    }
  | { readonly do: "close"; readonly session: number };

export interface Case {
  readonly seed: number;
  readonly policy: AuthoredPolicy;
  readonly user: User;
  readonly script: readonly Event[];
}

function describeEvent(event: Event): string {
  switch (event.do) {
    case "start": {
      const inside = event.parent === null ? "" : ` inside ${event.parent}`;
      return `  start ${event.id}: ${event.tool} ${JSON.stringify(event.args)}${inside} (session ${event.session})`;
    }
    case "end":
      return `  end ${event.call}: ${JSON.stringify(event.ending)}`;
    case "open": {
      const within = event.within === null ? "" : ` within call ${event.within}`;
      return `  open session ${event.id} in session ${event.outer}${within} for ${JSON.stringify(event.user.roles)}`;
    }
    case "close":
      return `  close session ${event.session}`;
  }
}

/** A case in words, for failure messages. */
export function describeCase({ seed, policy, user, script }: Case): string {
  return [
    `seed ${seed}, user with roles ${JSON.stringify(user.roles)}`,
    JSON.stringify(policy, null, 1),
    ...script.map(describeEvent),
  ].join("\n");
}
