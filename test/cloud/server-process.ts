import { fileURLToPath } from "node:url";
import { LineProcess, plainEnvironment } from "./line-process.js";

const PROGRAM = fileURLToPath(new URL("../../packages/server/lib/d2-server.js", import.meta.url));

/** Environment variables of the server. */
export type ServerEnvironment = Readonly<Record<string, string>>;

/** The built `d2-server` as a process of its own. */
export class ServerProcess {
  readonly #process: LineProcess;

  constructor(environment: ServerEnvironment, port = 0) {
    this.#process = new LineProcess([PROGRAM, "start", "--port", `${port}`], plainEnvironment(environment));
  }

  /** @returns its URL, once it listens */
  listening(): Promise<string> {
    return this.#process.first((line) => /"url":"(http:[^"]+)"/.exec(line)?.[1]);
  }

  /** `kill -9` unless another signal is named. */
  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.#process.kill(signal);
  }
}

/** What `d2-server bootstrap` has made. */
export interface Bootstrapped {
  readonly runtime: string;
  readonly developer: string;
  readonly admin: string;
}

/** Runs `d2-server bootstrap` as a process of its own. */
export async function bootstrap(environment: ServerEnvironment, app: string): Promise<Bootstrapped> {
  const command = new LineProcess(
    [PROGRAM, "bootstrap", "--app", app, "--json"],
    plainEnvironment(environment),
  );
  const line = await command.first((text) => text);
  await command.ended;
  return JSON.parse(line).tokens;
}
