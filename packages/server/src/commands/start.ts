import { Command } from "commander";
import { startServer } from "../server.js";
import { settingsOf, withDatabaseOptions } from "./shared-options.js";
import type { Terminal } from "./terminal.js";

interface StartOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly host?: string;
  readonly port?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly trustedProxies?: string;
  readonly logLevel?: "info";
  readonly metricsNeedToken?: true;
  readonly migrate: boolean;
}

/** `d2-server start`: runs until it is told to stop. */
export function startCommand(terminal: Terminal): Command {
  return withDatabaseOptions(new Command("start"))
    .description("start the server; it ends on SIGTERM, once running requests are finished")
    .option("--host <address>", "address to listen on (D2_SERVER_HOST, default 127.0.0.1)")
    .option("--port <number>", "port (D2_SERVER_PORT, default 8420)")
    .option("--tls-cert <file>", "certificate chain in PEM (D2_SERVER_TLS_CERT)")
    .option("--tls-key <file>", "its private key in PEM (D2_SERVER_TLS_KEY)")
    .option(
      "--trusted-proxies <list>",
      "proxies whose X-Forwarded-For is believed (D2_SERVER_TRUSTED_PROXIES)",
    )
    .option("--log-level <level>", "trace, debug, info, warn, error, fatal or silent (D2_SERVER_LOG_LEVEL)")
    .option("--metrics-need-token", "/metrics asks for the scope metrics.read (D2_SERVER_METRICS_NEED_TOKEN)")
    .option("--no-migrate", "refuse an older schema instead of bringing it up to date (D2_SERVER_MIGRATE=0)")
    .action(async (options: StartOptions) => {
      const settings = settingsOf(terminal, options, {
        host: options.host,
        port: options.port,
        tlsCert: options.tlsCert,
        tlsKey: options.tlsKey,
        trustedProxies: options.trustedProxies,
        logLevel: options.logLevel,
        metricsNeedToken: options.metricsNeedToken,
        migrate: options.migrate ? undefined : false,
      });
      const stopped = new Promise<void>((resolve) => terminal.onStop(resolve));
      const server = await startServer(settings, terminal.parts);
      await stopped;
      await server.close();
    });
}
