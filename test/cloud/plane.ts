import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { RoundRobin } from "./round-robin.js";
import { type Bootstrapped, bootstrap, type ServerEnvironment, ServerProcess } from "./server-process.js";

export interface PlaneSettings {
  /** Of the test; what is made goes into it. */
  readonly folder: string;
  /** PostgreSQL's address; undefined: SQLite. */
  readonly databaseUrl: string | undefined;
  readonly app: string;
}

/** A control plane of real processes: one server on SQLite, or two behind a balancer on PostgreSQL. */
export class Plane {
  readonly #environment: ServerEnvironment;
  readonly #balancer: RoundRobin | undefined;
  readonly tokens: Bootstrapped;
  #servers: readonly ServerProcess[] = [];
  #urls: readonly string[] = [];
  #url = "";

  private constructor(
    environment: ServerEnvironment,
    balancer: RoundRobin | undefined,
    tokens: Bootstrapped,
  ) {
    this.#environment = environment;
    this.#balancer = balancer;
    this.tokens = tokens;
  }

  static async start({ folder, databaseUrl, app }: PlaneSettings): Promise<Plane> {
    const shared = { D2_SERVER_POLL_SECONDS: "1", D2_SERVER_PLANS: '{"default":{"ingest_interval":1}}' };
    const environment =
      databaseUrl === undefined
        ? { ...shared, D2_SERVER_DATA: join(folder, "server") }
        : {
            ...shared,
            DATABASE_URL: databaseUrl,
            D2_SERVER_DATA: join(folder, "server"),
            D2_SERVER_KEY: randomBytes(32).toString("base64"),
          };
    const balancer = databaseUrl === undefined ? undefined : new RoundRobin();
    const plane = new Plane(environment, balancer, await bootstrap(environment, app));
    if (balancer !== undefined) plane.#url = await balancer.open();
    await plane.restart();
    return plane;
  }

  /** Where clients find it; stays. */
  get url(): string {
    return this.#url;
  }

  /** The servers themselves. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  /** How many requests each server has answered for the balancer. */
  get shares(): readonly number[] {
    return this.#urls.map((url) => this.#balancer?.answered.get(url) ?? 0);
  }

  /** `kill -9` of every server. */
  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    this.#servers = [];
  }

  /** Starts the servers on what is in the database, at the same address. */
  async restart(): Promise<void> {
    const port = this.#url === "" ? 0 : Number(new URL(this.#url).port);
    this.#servers =
      this.#balancer === undefined
        ? [new ServerProcess(this.#environment, port)]
        : [new ServerProcess(this.#environment), new ServerProcess(this.#environment)];
    this.#urls = await Promise.all(this.#servers.map((server) => server.listening()));
    if (this.#balancer === undefined) this.#url = this.#urls[0] ?? "";
    else this.#balancer.serve(this.#urls);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#balancer?.close();
  }
}
