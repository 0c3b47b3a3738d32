import { ConfigurationError } from "d2-core/call";
import { type Environment, readText } from "../setup/environment.js";

/** What is told: nothing, OpenTelemetry, usage events to the control plane, or both. */
export type TelemetryMode = "off" | "metrics" | "usage" | "all";

/** What an app tells of its guarded calls, and how. */
export interface TelemetryOptions {
  /** Default: `D2_TELEMETRY`, then `"all"`. */
  readonly mode?: TelemetryMode | undefined;
  /** Whether user ids leave as the SHA-256 of their UTF-8, 64 hex digits, in place of themselves. Default: no. */
  readonly hashUserIds?: boolean | undefined;
  /**
   * Whether the metrics that can be told apart by user are, which makes one series a user. Default: no, the attribute
   * `user_id` is left out.
   */
  readonly userIdsInMetrics?: boolean | undefined;
}

/** The same, checked. */
export interface TelemetryPlan {
  readonly metrics: boolean;
  readonly usage: boolean;
  readonly hashUserIds: boolean;
  readonly userIdsInMetrics: boolean;
  /** Whether the environment names a place for metrics, for apps that have no meter provider. */
  readonly exports: boolean;
}

const MODES: readonly TelemetryMode[] = ["off", "metrics", "usage", "all"];

const OFF: ReadonlySet<string> = new Set(["", "0", "none", "off", "no", "false"]);

const KNOWN: readonly string[] = [
  "mode",
  "hashUserIds",
  "userIdsInMetrics",
] satisfies (keyof TelemetryOptions)[];

/**
 * @param given the option `telemetry`: a mode, or options
 * @returns undefined when nothing is to be told
 * @throws ConfigurationError for anything else
 */
export function readTelemetry(given: unknown, environment: Environment): TelemetryPlan | undefined {
  const { mode = modeIn(environment), hashUserIds, userIdsInMetrics } = readOptions(given);
  if (mode === "off") return undefined;
  return {
    metrics: mode !== "usage",
    usage: mode !== "metrics",
    hashUserIds: hashUserIds ?? false,
    userIdsInMetrics: userIdsInMetrics ?? false,
    exports: readText(environment, "OTEL_EXPORTER_OTLP_ENDPOINT") !== undefined,
  };
}

/** What `D2_TELEMETRY` says. Empty is off, unlike with other variables; a word that is not known is `all`. */
function modeIn(environment: Environment): TelemetryMode {
  const word = environment["D2_TELEMETRY"]?.trim().toLowerCase();
  if (word === undefined) return "all";
  if (OFF.has(word)) return "off";
  return MODES.find((mode) => mode === word) ?? "all";
}

function readOptions(given: unknown): TelemetryOptions {
  if (given === undefined) return {};
  if (typeof given === "string") return { mode: readMode(given, "telemetry") };
  if (typeof given !== "object" || given === null) {
    throw new ConfigurationError(`\`telemetry\` must be ${inWords()}, or an object with options`);
  }
  // Only what was said here: nothing that `Object.prototype` may have been given.
  const own: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), given);
  for (const name of Object.keys(own)) {
    if (KNOWN.includes(name)) continue;
    const known = KNOWN.map((it) => `\`${it}\``).join(", ");
    throw new ConfigurationError(`unknown option \`telemetry.${name}\`: known are ${known}`);
  }
  const mode = own["mode"];
  return {
    mode: mode === undefined ? undefined : readMode(mode, "telemetry.mode"),
    hashUserIds: readSwitch(own, "hashUserIds"),
    userIdsInMetrics: readSwitch(own, "userIdsInMetrics"),
  };
}

function readMode(given: unknown, name: string): TelemetryMode {
  const mode = MODES.find((it) => it === given);
  if (mode === undefined) throw new ConfigurationError(`\`${name}\` must be ${inWords()}`);
  return mode;
}

function readSwitch(own: Readonly<Record<string, unknown>>, name: string): boolean | undefined {
  const value = own[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw new ConfigurationError(`\`telemetry.${name}\` must be true or false`);
}

const inWords = () => `one of ${MODES.map((it) => `\`"${it}"\``).join(", ")}`;
