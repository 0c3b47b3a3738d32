import { ConfigurationError } from "../errors.js";

/** The names that a guard was given for positional arguments. */
export interface ParameterNames {
  /** Position of each name; a rest parameter has the last one. */
  readonly positions: ReadonlyMap<string, number>;
  /** How many parameters take one argument each. */
  readonly count: number;
  /** Name of the parameter that takes all further arguments, as a list. */
  readonly rest: string | undefined;
}

/**
 * Reads the names of positional parameters. A rest parameter, which may only come last, is written `"...rest"`.
 *
 * @throws ConfigurationError for an empty name, one given twice, and a rest parameter that is not the last.
 */
export function parameterNames(params: readonly string[]): ParameterNames {
  const positions = new Map<string, number>();
  let rest: string | undefined;
  for (const [position, param] of params.entries()) {
    const isRest = typeof param === "string" && param.startsWith("...");
    const name = isRest ? param.slice(3) : param;
    if (typeof name !== "string" || name === "") {
      throw new ConfigurationError(`\`params[${position}]\` must be the name of a parameter`);
    }
    if (positions.has(name)) {
      throw new ConfigurationError(`\`params\` names \`${name}\` twice: give each parameter its own name`);
    }
    if (isRest && position !== params.length - 1) {
      throw new ConfigurationError(`\`params\`: the rest parameter \`${param}\` must come last`);
    }
    if (isRest) rest = name;
    positions.set(name, position);
  }
  return { positions, count: positions.size - (rest === undefined ? 0 : 1), rest };
}
