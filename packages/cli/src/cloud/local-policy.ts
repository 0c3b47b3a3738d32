import { type OpenPolicy, openPolicy } from "../policy-file.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

/** A policy file that is to be sent, with the app that it is for. */
export interface LocalPolicy extends OpenPolicy {
  readonly app: string;
}

/** @throws UsageError when the policy names no app, or another one than is asked for */
export async function localPolicy(
  terminal: Terminal,
  file: string | undefined,
  asked: string | undefined,
): Promise<LocalPolicy> {
  const open = await openPolicy(terminal, file);
  const { name } = open.policy.document;
  if (name === undefined) {
    throw new UsageError(`\`${open.file}\` does not say which app it is for: give it a \`metadata.name\``);
  }
  if (asked !== undefined && asked !== name) {
    throw new UsageError(
      `\`${open.file}\` is for the app \`${name}\`, not for \`${asked}\`: mend its \`metadata.name\`, or leave \`--app-name\` out`,
    );
  }
  return { ...open, app: name };
}
