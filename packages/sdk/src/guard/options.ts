import { type BundleExpiredError, ConfigurationError, type PermissionDeniedError } from "d2-core/call";

/** What a refused call throws. */
export type RefusalError = PermissionDeniedError | BundleExpiredError;

/** How a guard treats its function. */
export interface GuardOptions {
  /**
   * Names of the positional arguments, in order, as policy rules speak of them; a rest parameter is written
   * `"...rest"`. Not needed for a function of one plain object, whose keys are the names.
   */
  readonly params?: readonly string[];
  /**
   * What a refused call gives instead of throwing: a value, or a function of the error whose result is given. It covers
   * every refusal of this call, also a missing user and a missing or expired policy. Default: throw.
   */
  readonly onDeny?: unknown;
  /** Name of the instance whose policy holds. Default `"default"`. */
  readonly instance?: string;
  /** Whether refusals reject instead of throwing. Default: whether the function is an `async function`. */
  readonly async?: boolean;
  /** For worker tools: refuse to run, reason `strict_sync`. Default: `D2_STRICT_SYNC`. */
  readonly strict?: boolean;
  /**
   * What to do with a generator, iterator or stream when the policy has output rules for the tool: `"refuse"` it, or
   * judge `"each"` item. Default `"refuse"`.
   */
  readonly stream?: "refuse" | "each";
}

const KNOWN: ReadonlySet<string> = new Set(["params", "onDeny", "instance", "async", "strict", "stream"]);

/**
 * The options as they are now: each own one read once, so that what is checked is what holds, and nothing that
 * `Object.prototype` may have been given counts as said.
 *
 * @throws ConfigurationError for an option that would otherwise be ignored, or has the wrong form
 */
export function readGuardOptions<O extends object = GuardOptions>(
  options: O,
  tool: string,
  known: ReadonlySet<string> = KNOWN,
): O {
  if (typeof tool !== "string") throw new ConfigurationError("`d2Guard`: the tool id must be a string");
  const own: { [key: string]: unknown } = Object.create(null);
  for (const key of Reflect.ownKeys(options)) {
    if (typeof key === "symbol" || !known.has(key)) {
      throw new ConfigurationError(
        `guard of \`${tool}\`: unknown option \`${String(key)}\`: known are ${[...known].map((it) => `\`${it}\``).join(", ")}`,
      );
    }
    const value: unknown = Reflect.get(options, key);
    own[key] = key === "params" && Array.isArray(value) ? Array.from(value) : value;
  }
  checkGuardOptions(own, tool);
  // Every own property of `options` is there under its name.
  return own as O;
}

function checkGuardOptions(options: GuardOptions, tool: string): void {
  const { stream, instance, params } = options;
  for (const name of ["async", "strict"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      throw new ConfigurationError(`guard of \`${tool}\`: \`${name}\` must be true or false`);
    }
  }
  if (stream !== undefined && stream !== "refuse" && stream !== "each") {
    throw new ConfigurationError(`guard of \`${tool}\`: \`stream\` must be \`"refuse"\` or \`"each"\``);
  }
  if (instance !== undefined && (typeof instance !== "string" || instance === "")) {
    throw new ConfigurationError(`guard of \`${tool}\`: \`instance\` must be a non-empty string`);
  }
  if (params !== undefined && !Array.isArray(params)) {
    throw new ConfigurationError(`guard of \`${tool}\`: \`params\` must be a list of parameter names`);
  }
}
