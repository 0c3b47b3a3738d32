import { join } from "node:path";
import { z } from "zod";
import { trustedNetworks } from "./access/client-address.js";

const whole = (least: number, most = Number.MAX_SAFE_INTEGER) => z.coerce.number().int().min(least).max(most);

const flag = z
  .union([z.boolean(), z.enum(["true", "false", "1", "0"])])
  .transform((it) => it === true || it === "true" || it === "1");

const addresses = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(",").map((part) => part.trim()))])
  .transform((list) => list.filter((part) => part !== ""))
  .refine(areNetworks, "must be addresses or networks such as `10.0.0.0/8`, with commas between");

function areNetworks(entries: readonly string[]): boolean {
  try {
    trustedNetworks(entries);
    return true;
  } catch {
    return false;
  }
}

const plan = z.strictObject({
  /** Apps an account may have. */
  max_apps: whole(0).optional(),
  /** Tools a policy may name. */
  max_tools: whole(0).optional(),
  event_batch: whole(1, 1000).optional(),
  /** Seconds between two batches of events. */
  ingest_interval: whole(1, 86_400).optional(),
  poll_seconds: whole(1, 3600).optional(),
  /** Share of events that clients send, by type. */
  event_sample: z.record(z.string(), z.number().min(0).max(1)).optional(),
});

const plans = z.union([
  z.record(z.string(), plan),
  z.string().transform((text, context) => {
    try {
      return z.record(z.string(), plan).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: "custom", message: "must be a JSON object of plans by name" });
      return z.NEVER;
    }
  }),
]);

/** Limits of a plan; what is left out is not limited, or has the protocol's default. */
export type Plan = z.output<typeof plan>;

const schema = z.object({
  host: z.string().min(1).default("127.0.0.1"),
  /** 0: any free one. */
  port: whole(0, 65_535).default(8420),
  /** `postgres://...`; without it SQLite in `dataFolder`. */
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgres:// or postgresql://")
    .optional(),
  dataFolder: z.string().min(1).default("d2-data"),
  /** File of the SQLite database. Default: `d2.sqlite` in `dataFolder`; `:memory:` for tests. */
  databaseFile: z.string().min(1).optional(),
  /** Base64 of the 32 bytes that encrypt signing keys; without it the file `server.key` in `dataFolder`. */
  serverKey: z.string().optional(),
  /** Bring the schema up to date at start. */
  migrate: flag.default(true),
  tlsCert: z.string().min(1).optional(),
  tlsKey: z.string().min(1).optional(),
  /** Addresses or networks whose `X-Forwarded-For` is believed. */
  trustedProxies: addresses.default([]),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  /** `/metrics` asks for a token with the scope `metrics.read`. */
  metricsNeedToken: flag.default(false),

  /** Bytes of a body, where a route does not say otherwise. */
  bodyLimit: whole(1024).default(1_048_576),
  /** Bytes of the request line and all headers. */
  headerLimit: whole(1024).default(16_384),
  /** Milliseconds from the headers to the end of the body. */
  bodyTimeout: whole(1).default(10_000),
  /** Milliseconds from the connection to the end of the headers. */
  headerTimeout: whole(1).default(10_000),
  /** Connections at once. */
  maxConnections: whole(1).default(10_000),
  /** Milliseconds that running requests have once the server is told to stop. */
  drainTimeout: whole(0).default(10_000),
  /** Requests a second from one address, with as many more at once; 0: no limit. */
  rateByAddress: whole(0).default(2_000),
  /** Requests a second with one token, with as many more at once; 0: no limit. */
  rateByToken: whole(0).default(2_000),
  /** Requests a minute without a valid token from one address; 0: no limit. */
  failedAuthentications: whole(0).default(60),
  /** Milliseconds between two writes of the tokens' last uses. */
  touchInterval: whole(1).default(30_000),

  pollSeconds: whole(1, 3600).default(60),
  /** Seconds that a bundle is valid; 0: without end. */
  bundleLifetimeSeconds: whole(0).default(604_800),
  signingAlgorithm: z.enum(["RS256", "EdDSA"]).default("RS256"),
  /** Seconds between the listing of a new key and its first signature. */
  rotationLeadSeconds: whole(0).default(600),
  /** Days that events are kept; 0: for ever. */
  eventRetentionDays: whole(0).default(30),
  /** Events that wait to be stored, at most; beyond it 429. */
  eventQueueLimit: whole(1).default(50_000),
  /** By name. An account whose plan is not listed has no limits. */
  plans: plans.default({}),
});

/** What can be given: every setting has a default. */
export type SettingsInput = z.input<typeof schema>;

/** All settings of a server. Times are milliseconds unless the name says seconds or days; sizes are bytes. */
export interface Settings extends Readonly<z.output<typeof schema>> {
  readonly databaseFile: string;
}

/** Environment variable of each setting that has one. */
export const ENVIRONMENT: Readonly<Record<string, keyof SettingsInput>> = Object.freeze({
  D2_SERVER_HOST: "host",
  D2_SERVER_PORT: "port",
  DATABASE_URL: "databaseUrl",
  D2_SERVER_DATA: "dataFolder",
  D2_SERVER_DATABASE_FILE: "databaseFile",
  D2_SERVER_KEY: "serverKey",
  D2_SERVER_MIGRATE: "migrate",
  D2_SERVER_TLS_CERT: "tlsCert",
  D2_SERVER_TLS_KEY: "tlsKey",
  D2_SERVER_TRUSTED_PROXIES: "trustedProxies",
  D2_SERVER_LOG_LEVEL: "logLevel",
  D2_SERVER_METRICS_NEED_TOKEN: "metricsNeedToken",
  D2_SERVER_BODY_LIMIT: "bodyLimit",
  D2_SERVER_HEADER_LIMIT: "headerLimit",
  D2_SERVER_BODY_TIMEOUT: "bodyTimeout",
  D2_SERVER_HEADER_TIMEOUT: "headerTimeout",
  D2_SERVER_MAX_CONNECTIONS: "maxConnections",
  D2_SERVER_DRAIN_TIMEOUT: "drainTimeout",
  D2_SERVER_RATE_BY_ADDRESS: "rateByAddress",
  D2_SERVER_RATE_BY_TOKEN: "rateByToken",
  D2_SERVER_FAILED_AUTHENTICATIONS: "failedAuthentications",
  D2_SERVER_TOUCH_INTERVAL: "touchInterval",
  D2_SERVER_POLL_SECONDS: "pollSeconds",
  D2_SERVER_BUNDLE_LIFETIME_SECONDS: "bundleLifetimeSeconds",
  D2_SERVER_SIGNING_ALGORITHM: "signingAlgorithm",
  D2_SERVER_ROTATION_LEAD_SECONDS: "rotationLeadSeconds",
  D2_SERVER_EVENT_RETENTION_DAYS: "eventRetentionDays",
  D2_SERVER_EVENT_QUEUE_LIMIT: "eventQueueLimit",
  D2_SERVER_PLANS: "plans",
});

/** A setting that cannot be used. The message lists all of them, and no values. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly code = "settings_invalid";
}

/** @throws SettingsError */
export function createSettings(input: SettingsInput = {}): Settings {
  const result = schema.safeParse(input);
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `  ${shownName(path)}: ${message}`);
    throw new SettingsError(["these settings cannot be used:", ...new Set(lines)].join("\n"));
  }
  const { data } = result;
  if ((data.tlsCert === undefined) !== (data.tlsKey === undefined)) {
    throw new SettingsError("`--tls-cert` and `--tls-key` belong together: give both, or none");
  }
  return Object.freeze({ ...data, databaseFile: data.databaseFile ?? join(data.dataFolder, "d2.sqlite") });
}

/**
 * Settings from the environment, with those of the command line over them. Empty variables count as not set.
 *
 * @throws SettingsError
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  flags: SettingsInput = {},
): Settings {
  const given = Object.entries(ENVIRONMENT).flatMap(([variable, name]) => {
    const value = environment[variable];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  const chosen = Object.entries(flags).filter(([, value]) => value !== undefined);
  return createSettings(Object.fromEntries([...given, ...chosen]));
}

function shownName(path: readonly PropertyKey[]): string {
  const [name, ...rest] = path.map(String);
  const variable = Object.entries(ENVIRONMENT).find(([, setting]) => setting === name)?.[0];
  return [`\`${variable ?? name}\``, ...rest].join(" ");
}
