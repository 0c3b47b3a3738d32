import { existsSync } from "node:fs";
import { type LoadedPolicy, type Locate, loadPolicy, locateIn, readPolicyText } from "d2-policy";
import { policyFileInForce, readPolicyFileText } from "d2-sdk/files";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";

/** Largest policy that the command reads: eight times what guards take by default. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The text of a policy, and how to name where it came from. */
export interface PolicyFileText {
  /** As messages name it. */
  readonly file: string;
  /** Absolute; absent for standard input. */
  readonly path: string | undefined;
  readonly text: string;
  readonly format: "yaml" | "json";
}

/**
 * The text of the policy that is meant: the file that was named (`-`: standard input), else the one that a guard in this
 * folder would take.
 */
export async function readPolicyFile(terminal: Terminal, named: string | undefined): Promise<PolicyFileText> {
  if (named === "-") {
    const text = await terminal.input();
    return { file: "<standard input>", path: undefined, text, format: "yaml" };
  }
  const path = named === undefined ? fileInForce(terminal) : terminal.path(named);
  const file = terminal.shown(path);
  if (!existsSync(path)) {
    throw new UsageError(
      `there is no policy \`${file}\`: name one that is there, or write one with \`d2 init\``,
    );
  }
  const text = readPolicyFileText(path, file, MAX_BYTES);
  return { file, path, text, format: path.endsWith(".json") ? "json" : "yaml" };
}

function fileInForce({ environment, folder }: Terminal): string {
  return policyFileInForce({ environment, folder, otherwise: "name one with `--policy`" }).path;
}

/** A policy with its text, and the places of its rules in it. */
export interface OpenPolicy extends PolicyFileText {
  readonly policy: LoadedPolicy;
  readonly locate: Locate;
}

/**
 * Reads and loads the policy that is meant. One that has expired is loaded all the same: it can be looked at, tested and
 * compared, and commands to which its age matters say so.
 */
export async function openPolicy(terminal: Terminal, named: string | undefined): Promise<OpenPolicy> {
  return loadText(await readPolicyFile(terminal, named));
}

/** Loads a text that was read before: of a file that changes meanwhile, what was looked at is what counts. */
export function loadText(read: PolicyFileText): OpenPolicy {
  const { file, format, text } = read;
  const limits = { maxBundleBytes: MAX_BYTES, maxTools: Number.MAX_SAFE_INTEGER };
  const policy = loadPolicy(text, { file, format, limits, now: Number.NEGATIVE_INFINITY });
  return { ...read, policy, locate: locateIn(readPolicyText(text, { format })) };
}
