import { ConfigurationError } from "d2-core/call";
import { type CloudOptions, type CloudSettings, readCloudSettings } from "../cloud/cloud-settings.js";
import { CloudSource } from "../cloud/cloud-source.js";
import { type DecisionLogOptions, type DecisionLogPlan, readLogOptions } from "../log/log-options.js";
import { findPolicyFile } from "../source/file-search.js";
import { FileSource } from "../source/file-source.js";
import { ObjectSource } from "../source/object-source.js";
import type { PolicySource } from "../source/policy-source.js";
import { shownPath } from "../source/shown-path.js";
import {
  readTelemetry,
  type TelemetryMode,
  type TelemetryOptions,
  type TelemetryPlan,
} from "../telemetry/telemetry-options.js";
import { configHome, type Environment, isSwitchedOn, readText } from "./environment.js";
import { consoleLogger, consoleNotice, harmless, isLogger, type Logger } from "./logger.js";
import { checkOptionNames } from "./option-names.js";
import { DEFAULT_INSTANCE } from "./registry.js";

/** How large a policy may be. */
export interface PolicyLimits {
  /** Distinct tool ids and prefixes in permissions. Default 10,000. */
  readonly maxTools?: number | undefined;
  /** Bytes of the text, or of an object's compact JSON. Default 8 MiB. */
  readonly maxBundleBytes?: number | undefined;
}

/** What `configureRbac` can be told. Options override the environment; an option that is not known is refused. */
export interface RbacOptions extends CloudOptions {
  /** Path (from the current folder) or `file:` URL of the policy. Default: `D2_POLICY_FILE`, then the usual places. */
  readonly policyFile?: string | URL | undefined;
  /** The policy itself, in place of a file: an object, or text in YAML or JSON. */
  readonly policy?: string | object | undefined;
  /** Name of the instance to set up. Default `"default"`. */
  readonly instance?: string | undefined;
  /** Where to write. Default: warnings and errors to the console, and the start notice to standard error. */
  readonly logger?: Logger | undefined;
  readonly limits?: PolicyLimits | undefined;
  /** Whether blocking calls into worker tools fail fast. Default: whether `D2_STRICT_SYNC` is on. */
  readonly strict?: boolean | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z, asked when the policy can expire. Default: the system's clock. */
  readonly clock?: (() => number) | undefined;
  /** Where and how decisions are recorded: a path, or options. Default: `D2_DECISION_LOG`; where that is not set, nowhere. */
  readonly decisionLog?: string | DecisionLogOptions | undefined;
  /** Whose decisions they are, as records say it. Default `"default"`. */
  readonly tenant?: string | undefined;
  /** What is told of calls to the control plane and to OpenTelemetry, and how. Default: `D2_TELEMETRY`, then `"all"`. */
  readonly telemetry?: TelemetryMode | TelemetryOptions | undefined;
}

/** Options and environment, checked and put together. */
export interface Settings {
  readonly instance: string;
  readonly source: PolicySource;
  /** Policy files that the search passed over, as they are to be shown. */
  readonly hidden: readonly string[];
  /** Never throws. */
  readonly logger: Logger;
  /** Takes the start notice; undefined: it is not wanted. Never throws. */
  readonly notice: ((message: string) => void) | undefined;
  /** Whether the end of the policy is warned of. */
  readonly warnOfExpiry: boolean;
  readonly limits: PolicyLimits;
  readonly strict: boolean;
  readonly clock: () => number;
  readonly decisionLog?: DecisionLogPlan | undefined;
  readonly tenant?: string | undefined;
  /** Undefined: nothing is told. */
  readonly telemetry?: TelemetryPlan | undefined;
  /** Undefined: the policy comes from no control plane. */
  readonly cloud?: CloudSettings | undefined;
}

/** The limit that `d2-policy` has; repeated, for loading it here would slow the import of this package. */
export const DEFAULT_MAX_BUNDLE_BYTES = 8 * 1024 * 1024;

/** Whose decisions they are where nobody says. */
const DEFAULT_TENANT = "default";

/**
 * Checks the options and the environment, and finds the policy. Nothing of the policy is read yet.
 *
 * @throws ConfigurationError when anything in them cannot be used, or no policy is found
 */
export function readSettings(options: RbacOptions = {}, environment: Environment = process.env): Settings {
  if (typeof options !== "object" || options === null) {
    throw new ConfigurationError("the options of `configureRbac` must be an object");
  }
  // Each read once, and only what was said here: nothing that `Object.prototype` may have been given.
  const given: RbacOptions = Object.assign(Object.create(null), options);
  checkOptionNames(given);
  const { instance = DEFAULT_INSTANCE, strict, clock, logger } = given;
  if (typeof instance !== "string" || instance === "") {
    throw new ConfigurationError("`instance` must be a name: a string that is not empty");
  }
  if (strict !== undefined && typeof strict !== "boolean") {
    throw new ConfigurationError("`strict` must be true or false");
  }
  if (clock !== undefined && typeof clock !== "function") {
    throw new ConfigurationError("`clock` must be a function that gives milliseconds since 1970");
  }
  if (logger !== undefined && !isLogger(logger)) {
    throw new ConfigurationError("`logger` must have the methods `debug`, `info`, `warn` and `error`");
  }
  const decisionLog = given.decisionLog ?? readText(environment, "D2_DECISION_LOG");
  const written = harmless(logger ?? consoleLogger);
  const silent = isSwitchedOn(environment, "D2_SILENT");
  const limits = checkLimits(given.limits);
  const telemetry = readTelemetry(given.telemetry, environment);
  const now = clock ?? (() => Date.now());
  return {
    instance,
    ...chooseSource(given, environment, { limits, logger: written, clock: now }),
    logger: written,
    notice: silent ? undefined : logger === undefined ? consoleNotice : written.info,
    warnOfExpiry: !silent,
    limits,
    strict: strict ?? isSwitchedOn(environment, "D2_STRICT_SYNC"),
    clock: now,
    decisionLog: decisionLog === undefined ? undefined : readLogOptions(decisionLog),
    tenant: checkTenant(given.tenant),
    telemetry,
  };
}

function checkTenant(tenant: unknown = DEFAULT_TENANT): string {
  // The rule for ids of the decision contract.
  if (typeof tenant !== "string" || !/^[^\p{Cc}\p{Cs}]{1,256}$/u.test(tenant)) {
    throw new ConfigurationError(
      "`tenant` must be a string of 1 to 256 characters without control characters",
    );
  }
  return tenant;
}

function checkLimits(limits: PolicyLimits = {}): PolicyLimits {
  if (typeof limits !== "object" || limits === null) {
    throw new ConfigurationError("`limits` must be an object");
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (name !== "maxTools" && name !== "maxBundleBytes") {
      throw new ConfigurationError(
        `unknown limit \`${name}\` in \`limits\`: known are \`maxTools\` and \`maxBundleBytes\``,
      );
    }
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
      throw new ConfigurationError(`\`limits.${name}\` must be a whole number above 0`);
    }
  }
  return { maxTools: limits.maxTools, maxBundleBytes: limits.maxBundleBytes };
}

function chooseSource(
  given: RbacOptions,
  environment: Environment,
  { limits, logger, clock }: Pick<Settings, "limits" | "logger" | "clock">,
): Pick<Settings, "source" | "hidden" | "cloud"> {
  const { policy, policyFile, token } = given;
  const maxBytes = limits.maxBundleBytes ?? DEFAULT_MAX_BUNDLE_BYTES;
  const rivals = Object.entries({ policy, policyFile, token }).filter(([, value]) => value !== undefined);
  const [first, second] = rivals.map(([name]) => `\`${name}\``);
  if (second !== undefined) {
    throw new ConfigurationError(`${first} and ${second} exclude each other: give one of them`);
  }
  // What the program itself says of its policy goes before the environment's token.
  const own = policy !== undefined || policyFile !== undefined;
  const cloud = readCloudSettings(given, own ? { ...environment, D2_TOKEN: undefined } : environment);
  if (cloud !== undefined) {
    return { source: new CloudSource(cloud, { logger, clock, maxBytes }), hidden: [], cloud };
  }
  const aside = own && readText(environment, "D2_TOKEN") !== undefined;
  const folder = process.cwd();
  if (aside) logger.warn(`\`D2_TOKEN\` is set and not used: the policy is the one that ${first} gives`);
  if (policy !== undefined) return { source: new ObjectSource(policy), hidden: [] };
  const { path, hidden } = findPolicyFile({
    policyFile,
    named: readText(environment, "D2_POLICY_FILE"),
    configHome: configHome(environment),
    folder,
  });
  const source = new FileSource(path, { folder, maxBytes });
  return { source, hidden: hidden.map((other) => shownPath(other, folder)) };
}
