import { loadText, type OpenPolicy, type PolicyFileText } from "../policy-file.js";
import { UsageError } from "../usage-error.js";

/** A policy file that is to be sent, with the app that it is for. */
export interface LocalPolicy extends OpenPolicy {
  readonly app: string;
}

/** @throws UsageError when the policy names no app, or another one than is asked for */
export function localPolicy(read: PolicyFileText, asked: string | undefined): LocalPolicy {
  const open = loadText(read);
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
