import { fileURLToPath } from "node:url";
import { LineProcess, plainEnvironment } from "./line-process.js";

const PROGRAM = fileURLToPath(new URL("sdk-app.mjs", import.meta.url));

export interface AppSettings {
  readonly token: string;
  readonly apiUrl: string;
  /** Folder of the state file; those who share it are one machine. */
  readonly configFolder: string;
}

/** A guarded call, as `sdk-app.mjs` makes it. */
export interface Call {
  readonly user: string;
  readonly role: string;
  readonly tool: string;
  readonly amount: number;
}

/** An app on the built SDK, as a process of its own. */
export class AppProcess {
  readonly #process: LineProcess;

  constructor({ token, apiUrl, configFolder }: AppSettings) {
    const environment = { APP_TOKEN: token, APP_API_URL: apiUrl, XDG_CONFIG_HOME: configFolder };
    this.#process = new LineProcess([PROGRAM], plainEnvironment(environment));
  }

  /** A place in what it prints, for the methods that wait. */
  get now(): number {
    return this.#process.printed;
  }

  get errors(): string {
    return this.#process.errors;
  }

  /** Waits for the set-up. @returns the version in force; null: none */
  version(): Promise<unknown> {
    return this.#said("version");
  }

  /** Waits until this version is in force. @returns how many polls from `from` on were answered without it */
  async adopts(version: number, from: number): Promise<number> {
    const isIt = (line: string) => read(line)["version"] === version;
    await this.#process.first((line) => isIt(line) || undefined);
    const lines = this.#process.linesFrom(0);
    const before = lines.slice(from, lines.findIndex(isIt)).map(read);
    return before.filter(({ poll }) => poll !== undefined && poll !== 200).length;
  }

  /** Waits until the policy is taken from it. */
  async isRevoked(from: number): Promise<void> {
    await this.#said("revoked", from);
  }

  /** Waits for the answer to a poll that is one of these statuses; 0: none came. */
  async polls(statuses: readonly number[], from: number): Promise<void> {
    await this.#process.first((line) => {
      const { poll } = read(line);
      return typeof poll === "number" && statuses.includes(poll) ? poll : undefined;
    }, from);
  }

  /** @returns `allow`, or the reason of the denial */
  async call(call: Call): Promise<unknown> {
    const from = this.now;
    this.#process.write(JSON.stringify(call));
    return this.#said("answer", from);
  }

  /** Lets it end by itself, which sends what events are left. @returns its exit code */
  end(): Promise<number | null> {
    this.#process.endInput();
    return this.#process.ended;
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  #said(name: string, from?: number): Promise<unknown> {
    return this.#process.first((line) => read(line)[name], from);
  }
}

function read(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line);
}
