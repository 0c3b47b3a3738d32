import { describePolicy, descriptionText, matrixOf, matrixText } from "d2-policy/inspect";
import { listOption, type Options, type Run, textOption } from "../command.js";
import { OK } from "../exit-code.js";
import { type OpenPolicy, openPolicy } from "../policy-file.js";
import type { Terminal } from "../terminal.js";
import { UsageError } from "../usage-error.js";

export const runInspect: Run = async (_args, options, terminal) => {
  const open = await meant(options, terminal);
  const { policy, locate, file } = open;
  const roles = knownRoles(open, listOption(options, "role"), "role");
  const userRoles = knownRoles(open, listOption(options, "userRoles"), "user-roles");
  if (roles !== undefined && userRoles !== undefined) {
    throw new UsageError(
      "`--role` shows roles apart, `--user-roles` one user who holds several: give one of them",
    );
  }
  const json = options["json"] === true;
  if (options["matrix"] === true) {
    const matrix = matrixOf(policy, { roles: roles ?? userRoles });
    if (json) terminal.printJson("inspect.matrix", { policy: file, matrix });
    else terminal.print(matrixText(matrix, terminal.marks, { width: terminal.width }));
    return OK;
  }
  const description = describePolicy(policy, { roles, userRoles, now: terminal.now(), locate });
  if (json) terminal.printJson("inspect", { policy: file, description });
  else {
    const verbose = options["verbose"] === true;
    terminal.print(descriptionText(description, { verbose, marks: terminal.marks }));
  }
  return OK;
};

/** A policy to look at; one that is published has no text, and so no places. */
type Inspected = Pick<OpenPolicy, "policy" | "file"> & Partial<Pick<OpenPolicy, "locate">>;

async function meant(options: Options, terminal: Terminal): Promise<Inspected> {
  if (options["published"] !== true) return openPolicy(terminal, textOption(options, "policy"));
  const { inspectedBundle } = await import("../cloud/inspected-bundle.js");
  return inspectedBundle(options, terminal);
}

/** @throws UsageError for a role that the policy does not know: a misspelt one would seem to have no rights */
export function knownRoles(
  { policy, file }: Pick<OpenPolicy, "policy" | "file">,
  given: readonly string[] | undefined,
  option: string,
): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const known = [...new Set(policy.document.policies.flatMap(({ roles }) => roles))];
  const unknown = given.filter((role) => !known.includes(role)).map((role) => `\`${role}\``);
  if (unknown.length === 0) return given;
  throw new UsageError(
    `\`--${option}\` names ${unknown.join(", ")}, which \`${file}\` has no rules for: it knows ${known.map((role) => `\`${role}\``).join(", ")}`,
  );
}
