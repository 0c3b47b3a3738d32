import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The program of a package that is installed here. */
function program(name: string, bin: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), "lib", `${bin}.js`);
}

const SERVER = program("d2-server", "d2-server");
const COMMAND = program("d2-cli", "d2");

export interface Tokens {
  readonly runtime: string;
  readonly developer: string;
  readonly admin: string;
}

/** A control plane in a process of its own. */
export interface ControlPlane {
  readonly url: string;
  /** Ends it as an operator would, and waits for it. */
  stop(): Promise<void>;
}

/** Makes the database with an account, one app, and a token of each kind. */
export function prepare(data: string, app: string): Tokens {
  run(SERVER, ["migrate", "--data", data], {});
  return JSON.parse(run(SERVER, ["bootstrap", "--data", data, "--app", app, "--json"], {})).tokens;
}

export async function startControlPlane(data: string, port = 0): Promise<ControlPlane> {
  const child = spawn(process.execPath, [SERVER, "start", "--data", data, "--port", String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
    // Guards ask every second, so that nobody waits long here.
    env: { ...process.env, D2_SERVER_POLL_SECONDS: "1" },
  });
  const url = await urlOf(child);
  return {
    url,
    async stop() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** The server's log tells where it listens. */
function urlOf(child: ChildProcess): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (part: Buffer) => {
      printed += part.toString();
      const url = /"url":"(http:[^"]+)"/.exec(printed)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("close", () => reject(new Error(`the control plane did not start: ${printed}`)));
  });
}

/** Runs `d2` as whoever has the token, and shows the command line and what it printed. */
export function d2(args: readonly string[], environment: NodeJS.ProcessEnv): string {
  console.log(`  $ d2 ${args.join(" ")}`);
  const printed = run(COMMAND, args, environment);
  for (const line of printed.trimEnd().split("\n")) console.log(`  ${line}`.trimEnd());
  return printed;
}

function run(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`\`${args.join(" ")}\` ended with ${status}: ${stderr}`);
  return stdout;
}
