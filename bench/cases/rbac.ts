import { createMongoAbility } from "@casl/ability";
import { configureRbac, d2Guard, runAs } from "d2-sdk";
import type { Figure } from "../figure.js";
import { GRANTED, largePolicy, ROLE, ROLE_TOOLS, shuffled, silent } from "../policies.js";
import { type Loop, timeSideBySide } from "../timing.js";

/** Calls of one user before the next one's turn. */
const CALLS_A_SESSION = 20;

/** Which tool is called when; a power of two of them, so that the loop can go round. */
const ORDER = shuffled(4096, 480);

type Tool = (value: number) => number;

/** Answers whether a user of this role may call the tool. */
type Ask = (role: number, tool: string) => boolean;

function bareTool(): Tool {
  return (value) => value + 1;
}

/** For each role the tools that it grants, in the order in which they are called. */
function toolsByRole(wrap: (id: string) => Tool): Tool[][] {
  const all = new Map<string, Tool>();
  return ROLE_TOOLS.map(([, ids]) =>
    ORDER.map((place) => {
      const id = ids[place] ?? "";
      const tool = all.get(id) ?? wrap(id);
      all.set(id, tool);
      return tool;
    }),
  );
}

/** Users of all roles, one after the other, who each call some tools without order. */
function everyRole(tools: readonly (readonly Tool[])[]): Loop {
  const options = ROLE_TOOLS.map(([role]) => ({ roles: [role] }));
  return (times) => {
    let sum = 0;
    for (let done = 0; done < times; done += CALLS_A_SESSION) {
      const session = done / CALLS_A_SESSION;
      const own = tools[session % tools.length] ?? [];
      const end = Math.min(times, done + CALLS_A_SESSION);
      runAs("bench", options[session % tools.length] ?? {}, () => {
        for (let call = done; call < end; call += 1) sum += own[call & 4095]?.(call) ?? 0;
      });
    }
    return sum;
  };
}

/** The same calls, asked about. */
function askEveryRole(ask: Ask): Loop {
  const ids = ROLE_TOOLS.map(([, tools]) => ORDER.map((place) => tools[place] ?? ""));
  return (times) => {
    let allowed = 0;
    for (let call = 0; call < times; call += 1) {
      const role = Math.floor(call / CALLS_A_SESSION) % ids.length;
      if (ask(role, ids[role]?.[call & 4095] ?? "")) allowed += 1;
    }
    return allowed;
  };
}

/** Users of one role, who call many tools each without order. */
function oneRole(tools: readonly Tool[]): Loop {
  return (times) => {
    let sum = 0;
    for (let done = 0; done < times; done += 1000) {
      const end = Math.min(times, done + 1000);
      runAs("bench", { roles: [ROLE] }, () => {
        for (let call = done; call < end; call += 1) sum += tools[call & 4095]?.(call) ?? 0;
      });
    }
    return sum;
  };
}

/** One user who calls one tool again and again. */
function oneTool(tool: Tool): Loop {
  return (times) => {
    let sum = 0;
    runAs("bench", { roles: [ROLE] }, () => {
      for (let call = 0; call < times; call += 1) sum += tool(call);
    });
    return sum;
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
  const abilities = ROLE_TOOLS.map(([, ids]) =>
    createMongoAbility(ids.map((id) => ({ action: "call", subject: id }))),
  );
  const [id = ""] = GRANTED;
  const own = abilities[7] ?? createMongoAbility();
  const bareTools = toolsByRole(bareTool);
  const guardedTools = toolsByRole((tool) => d2Guard(tool, { instance: "lasting" }, bareTool()));
  const ids = ORDER.map((place) => GRANTED[place] ?? "");
  const ns = timeSideBySide({
    bare: everyRole(bareTools),
    lasting: everyRole(guardedTools),
    expiring: everyRole(toolsByRole((tool) => d2Guard(tool, { instance: "expiring" }, bareTool()))),
    casl: askEveryRole((role, tool) => abilities[role]?.can("call", tool) ?? false),
    bareRole: oneRole(bareTools[7] ?? []),
    guardedRole: oneRole(guardedTools[7] ?? []),
    caslRole: (times) => {
      let allowed = 0;
      for (let call = 0; call < times; call += 1) if (own.can("call", ids[call & 4095] ?? "")) allowed += 1;
      return allowed;
    },
    bareOne: oneTool(bareTool()),
    guardedOne: oneTool(d2Guard(id, { instance: "lasting" }, bareTool())),
    caslOne: (times) => {
      let allowed = 0;
      for (let call = 0; call < times; call += 1) if (own.can("call", id)) allowed += 1;
      return allowed;
    },
  });
  const lasting = ns.lasting - ns.bare;
  const expiring = ns.expiring - ns.bare;
  const role = ns.guardedRole - ns.bareRole;
  const one = ns.guardedOne - ns.bareOne;
  return [
    { what: "all roles and tools, beside casl", unit: "x", value: lasting / ns.casl, atMost: 0.9 },
    {
      what: "the same, policy that can expire, beside casl",
      unit: "x",
      value: expiring / ns.casl,
      atMost: 0.9,
    },
    {
      what: "one role, its tools without order, beside casl",
      unit: "x",
      value: role / ns.caslRole,
      atMost: 0.9,
    },
    { what: "one role, one tool, beside casl", unit: "x", value: one / ns.caslOne, atMost: 0.9 },
    { what: "one role, one tool, added", unit: "ns", value: one, atMost: 50 },
    { what: "all roles and tools, added", unit: "ns", value: lasting },
    { what: "the same, policy that can expire, added", unit: "ns", value: expiring },
    { what: "one role, its tools without order, added", unit: "ns", value: role },
    { what: "casl `can()`, all roles and tools", unit: "ns", value: ns.casl },
    { what: "casl `can()`, one role, its tools without order", unit: "ns", value: ns.caslRole },
    { what: "casl `can()`, one role, one tool", unit: "ns", value: ns.caslOne },
  ];
}
