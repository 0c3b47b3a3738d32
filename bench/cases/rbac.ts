import { type AnyAbility, createMongoAbility } from "@casl/ability";
import { configureRbac, d2Guard, runAs } from "d2-sdk";
import type { Figure } from "../figure.js";
import { GRANTED, largePolicy, ROLE, silent } from "../policies.js";
import { timeSideBySide } from "../timing.js";

/** Calls before the loop begins a new session; the time that takes is part of what is measured. */
const CALLS_A_SESSION = 1000;

/** How many tools are called in turn; a power of two. */
const IN_TURN = 256;

type Tool = (value: number) => number;

function bareTool(): Tool {
  return (value) => value + 1;
}

function guardedTools(instance: string): Tool[] {
  return GRANTED.slice(0, IN_TURN).map((id) => d2Guard(id, { instance }, bareTool()));
}

/** Calls the tools in turn, in sessions. */
function inTurn(tools: readonly Tool[]): (times: number) => number {
  return (times) => {
    let sum = 0;
    for (let done = 0; done < times; done += CALLS_A_SESSION) {
      const end = Math.min(times, done + CALLS_A_SESSION);
      runAs("bench", { roles: [ROLE] }, () => {
        for (let call = done; call < end; call += 1) sum += tools[call & (IN_TURN - 1)]?.(call) ?? 0;
      });
    }
    return sum;
  };
}

/** Asks about tools in turn. */
function askInTurn(ability: AnyAbility, ids: readonly string[]): (times: number) => number {
  return (times) => {
    let allowed = 0;
    for (let call = 0; call < times; call += 1) {
      if (ability.can("call", ids[call & (IN_TURN - 1)])) allowed += 1;
    }
    return allowed;
  };
}

export async function measure(): Promise<Figure[]> {
  await configureRbac({ instance: "lasting", policy: largePolicy(), logger: silent });
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  await configureRbac({
    instance: "expiring",
    policy: largePolicy({ metadata: { expires } }),
    logger: silent,
  });
  const bare = Array.from({ length: IN_TURN }, bareTool);
  const ability = createMongoAbility(GRANTED.map((id) => ({ action: "call", subject: id })));
  const ids = GRANTED.slice(0, IN_TURN);
  const one = (tools: readonly Tool[]): Tool[] =>
    Array.from({ length: IN_TURN }, () => tools[0] ?? bareTool());
  const lasting = guardedTools("lasting");
  const ns = timeSideBySide({
    bare: inTurn(bare),
    lasting: inTurn(lasting),
    expiring: inTurn(guardedTools("expiring")),
    casl: askInTurn(ability, ids),
    bareOne: inTurn(one(bare)),
    lastingOne: inTurn(one(lasting)),
    caslOne: askInTurn(
      ability,
      ids.map(() => ids[0] ?? ""),
    ),
  });
  const added = ns.lasting - ns.bare;
  const addedExpiring = ns.expiring - ns.bare;
  const addedOne = ns.lastingOne - ns.bareOne;
  return [
    {
      what: "256 tools in turn, policy that does not expire, beside casl",
      unit: "x",
      value: added / ns.casl,
      atMost: 0.9,
    },
    {
      what: "256 tools in turn, policy that can expire, beside casl",
      unit: "x",
      value: addedExpiring / ns.casl,
      atMost: 0.9,
    },
    { what: "one tool again and again, beside casl", unit: "x", value: addedOne / ns.caslOne, atMost: 0.9 },
    { what: "added, 256 tools in turn, policy that does not expire", unit: "ns", value: added },
    { what: "added, 256 tools in turn, policy that can expire", unit: "ns", value: addedExpiring },
    { what: "added, one tool again and again", unit: "ns", value: addedOne },
    { what: "casl `can()`, 256 tools in turn", unit: "ns", value: ns.casl },
    { what: "casl `can()`, one tool again and again", unit: "ns", value: ns.caslOne },
  ];
}
