import { loadPolicy } from "d2-policy";
import {
  BundleExpiredError,
  configureRbac,
  d2Guard,
  PermissionDeniedError,
  runAs,
  shutdownRbac,
} from "d2-sdk";
import { type Block, blocksOf } from "./blocks.js";

const INSTANCE = "docs";
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** A block of a page that says what comes of a policy: the policy is that of the last `yaml policy` block before it. */
export interface Claim {
  readonly policy: Block;
  readonly block: Block;
}

/** The blocks of a page that make claims of this kind. */
export function claimsOf(page: string, info: string): readonly Claim[] {
  let policy: Block | undefined;
  const claims: Claim[] = [];
  for (const block of blocksOf(page)) {
    if (block.info === "yaml policy") policy = block;
    if (block.info !== info) continue;
    if (policy === undefined) throw new Error(`${block.place}: there is no policy before it`);
    claims.push({ policy, block });
  }
  return claims;
}

/** Puts the policy in force while `work` runs. */
async function under(policy: Block, work: () => void): Promise<void> {
  await configureRbac({ policy: policy.text, instance: INSTANCE, logger: SILENT });
  try {
    work();
  } finally {
    await shutdownRbac(INSTANCE);
  }
}

/**
 * Makes the calls of a `text calls` block. A line is a session of its own, `as ROLES: CALL then CALL -> OUTCOME`; the
 * roles may be left out and are then those of the first entry, and a call is a tool id, with arguments as JSON or with
 * `(throws)`. All calls but the last must be allowed.
 *
 * @returns the lines, with what came of them
 */
export async function callOutcomes({ policy, block }: Claim): Promise<string> {
  const lines = block.text.trimEnd().split("\n");
  const seen: string[] = [];
  await under(policy, () => {
    for (const line of lines) seen.push(line.replace(/(?:->.*)?$/, `-> ${outcomeOf(line, policy)}`));
  });
  return `${seen.join("\n")}\n`;
}

function outcomeOf(line: string, policy: Block): string {
  const found = /^(?:as (?<roles>[^:]+): )?(?<calls>.+?) *-> \S+$/.exec(line)?.groups;
  const calls = found?.["calls"]?.split(" then ") ?? [];
  if (calls.length === 0) return "a line that cannot be read";
  const roles = found?.["roles"]?.split(", ") ?? firstRoles(policy);
  return runAs("reader", { roles }, () => {
    const outcomes = calls.map(callOnce);
    const early = outcomes.findIndex((outcome, at) => at < outcomes.length - 1 && outcome !== "ok");
    return early === -1 ? (outcomes.at(-1) ?? "") : `${outcomes[early]} at ${calls[early]}`;
  });
}

function callOnce(call: string): string {
  const [, tool = "", args, throws] = /^(\S+)(?: (\{.*\}))?( \(throws\))?$/.exec(call.trim()) ?? [];
  const fn = (_args?: object): string => {
    if (throws !== undefined) throw new RangeError("on purpose");
    return "done";
  };
  return reasonOf(() => d2Guard(tool, { instance: INSTANCE }, fn)(...(args ? [JSON.parse(args)] : [])));
}

/** Makes the first tool with conditions return each value of a `json results` block; gives the lines as they come out. */
export async function resultOutcomes({ policy, block }: Claim): Promise<string> {
  const seen: string[] = [];
  await under(policy, () => {
    for (const line of block.text.trimEnd().split("\n")) {
      const [, given = "", gap = ""] = /^(.*?)( *)-> /.exec(line) ?? [];
      seen.push(`${given}${gap}-> ${reasonOf(() => releasedBy(policy, JSON.parse(given)))}`);
    }
  });
  return `${seen.join("\n")}\n`;
}

/** What leaves the first tool with conditions when it returns this. */
export async function released({ policy, block }: Claim): Promise<unknown> {
  let value: unknown;
  await under(policy, () => {
    value = releasedBy(policy, JSON.parse(block.text));
  });
  return value;
}

function releasedBy(policy: Block, given: unknown): unknown {
  const { document } = loadPolicy(policy.text, { now: 0 });
  const [entry] = document.policies;
  const tool = entry?.permissions.find(({ output }) => output.length > 0)?.tool;
  if (entry === undefined || tool === undefined) throw new Error(`${policy.place}: no tool has output rules`);
  const fn = d2Guard(tool, { instance: INSTANCE }, () => given);
  return runAs("reader", { roles: entry.roles }, fn);
}

function firstRoles(policy: Block): readonly string[] {
  return loadPolicy(policy.text, { now: 0 }).document.policies[0]?.roles ?? [];
}

/** `ok` when the call was let through, also when the tool itself threw. */
function reasonOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    if (error instanceof PermissionDeniedError || error instanceof BundleExpiredError) return error.reason;
    if (error instanceof RangeError) return "ok";
    throw error;
  }
}
