import { randomBytes as systemRandom } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { type Logger, pino } from "pino";
import { Admission } from "./access/admission.js";
import { accountRoutes } from "./admin/account-routes.js";
import { AppCreation } from "./admin/app-creation.js";
import { appRoutes } from "./admin/app-routes.js";
import { keyRoutes } from "./admin/key-routes.js";
import { signingKeyRoutes } from "./admin/signing-key-routes.js";
import { tokenRoutes } from "./admin/token-routes.js";
import { createApp } from "./http/app.js";
import { Listener } from "./http/listener.js";
import type { Route } from "./http/route.js";
import type { Services } from "./http/services.js";
import { healthRoutes } from "./observe/health-routes.js";
import { createMetrics } from "./observe/metrics.js";
import { metricsRoute } from "./observe/metrics-route.js";
import type { BaseServices, Closable, Feature, ServerParts } from "./server-parts.js";
import { createSettings, type Settings, type SettingsInput } from "./settings.js";
import { standardParts } from "./standard-parts.js";
import { openStorage } from "./storage/open-storage.js";
import type { Storage } from "./storage/storage.js";

export interface RunningServer {
  /** `http://127.0.0.1:8420`, with the port that was opened. */
  readonly url: string;
  readonly services: Services;
  /** Takes no more requests, finishes the running ones within `drainTimeout`, then ends everything else. Once, however often it is called. */
  close(): Promise<void>;
}

/** The server's log. @param level of the settings */
export function createLogger(level: Settings["logLevel"]): Logger {
  return pino({ level, base: { name: "d2-server" }, timestamp: pino.stdTimeFunctions.isoTime });
}

/**
 * Starts a control plane.
 *
 * @throws SettingsError when a setting cannot be used, StorageError when the database cannot, an error of the system when
 * the port cannot
 */
export async function startServer(
  input: SettingsInput,
  parts: Partial<ServerParts> = {},
): Promise<RunningServer> {
  const settings = createSettings(input);
  const clock = parts.clock ?? Date.now;
  const logger = parts.logger ?? createLogger(settings.logLevel);
  const ends: Closable[] = [];
  try {
    const storage = parts.storage ?? (await openDatabase(settings, clock, logger));
    ends.push(storage);
    let closing = false;
    const base = baseServices({ ...parts, storage, clock, logger }, settings, () => closing);
    const signing = await (parts.signing ?? standardParts.signing)(base);
    ends.push(signing);
    const services: Services = { ...base, signing };
    const features: Feature[] = [];
    for (const make of parts.features ?? standardParts.features) {
      const feature = await make(services);
      features.push(feature);
      ends.push(feature);
    }
    const admission = new Admission(services);
    ends.push(admission);
    const routes = [...ownRoutes(services, admission), ...features.flatMap((feature) => feature.routes)];
    const listener = await Listener.open(createApp({ routes, services, admission }), settings, logger);
    ends.push(listener);
    logger.info({ url: listener.url, database: storage.database }, "d2-server is listening");
    let ended: Promise<void> | undefined;
    return {
      url: listener.url,
      services,
      close() {
        closing = true;
        ended ??= endAll(ends).then(() => logger.info("d2-server has stopped"));
        return ended;
      },
    };
  } catch (error) {
    await endAll(ends);
    throw error;
  }
}

/** What routes and commands share, around an open database. */
export function baseServices(
  parts: Partial<ServerParts> & Pick<ServerParts, "storage" | "clock" | "logger">,
  settings: Settings,
  closing: () => boolean,
): BaseServices {
  const { storage, clock, logger, randomBytes = systemRandom } = parts;
  return {
    storage,
    appCreation: new AppCreation({ storage, settings, clock, randomBytes }),
    clock,
    monotonic: parts.monotonic ?? (() => performance.now()),
    randomBytes,
    logger,
    settings,
    metrics: createMetrics(clock()),
    closing,
  };
}

/** The routes of the control plane itself. */
function ownRoutes(services: Services, admission: Admission): readonly Route[] {
  return [
    ...accountRoutes,
    ...appRoutes(services.appCreation),
    ...tokenRoutes(admission),
    ...keyRoutes,
    ...signingKeyRoutes,
    ...healthRoutes,
    metricsRoute(services.settings.metricsNeedToken),
  ];
}

/** The database of the settings; for SQLite its folder is made. @throws StorageError */
export async function openDatabase(
  settings: Settings,
  clock: () => number,
  logger: Logger,
): Promise<Storage> {
  if (settings.databaseUrl === undefined && settings.databaseFile !== ":memory:") {
    await mkdir(settings.dataFolder, { recursive: true, mode: 0o700 });
  }
  const { databaseUrl: url, databaseFile: file, migrate } = settings;
  return openStorage({ url, file, migrate, clock, logger });
}

/** Last begun, first ended; the first failure is told once all had their turn. */
async function endAll(parts: readonly Closable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of [...parts].reverse()) {
    try {
      await part.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
