import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { checkDocument, compilePlan } from "d2-core";
import { onTestFinished } from "vitest";
import type { CloudSettings } from "../src/cloud/cloud-settings.js";
import type { Later } from "../src/setup/expiry-warnings.js";
import { instanceSlot } from "../src/setup/registry.js";
import { startTelemetry, type Telemetry } from "../src/telemetry/telemetry.js";
import type { TelemetryPlan } from "../src/telemetry/telemetry-options.js";
import type { FakeControlPlane } from "./fake-control-plane.js";
import { LogBook } from "./policy-folder.js";

export interface SeenEvent {
  readonly event_type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly occurred_at: string;
}

export interface SeenPost {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly events: readonly SeenEvent[];
}

/** How the next post is answered: with a status, or as the function has it. */
export type Answer =
  | number
  | readonly [number, Record<string, string>]
  | ((response: ServerResponse) => void);

/** Takes usage events over a real socket. */
export class IngestServer {
  readonly posts: SeenPost[] = [];
  /** For the next posts, in order; after them 202. */
  readonly answers: Answer[] = [];
  account: object = {};
  accountsAsked = 0;
  /** Answers for the policy. */
  plane: FakeControlPlane | undefined;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  private constructor(readonly url: string) {}

  static async start(): Promise<IngestServer> {
    const made: { it?: IngestServer } = {};
    const server = createServer((request, response) => {
      const { it } = made;
      let text = "";
      request.on("data", (part) => {
        text += part;
      });
      request.on("end", () => {
        if (request.url === "/v1/accounts/me") it?.tellAccount(response);
        else if (request.url === "/v1/events/ingest") it?.take(text, request.headers, response);
        else void it?.plane?.answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    made.it = new IngestServer(`http://127.0.0.1:${port}`);
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return made.it;
  }

  tellAccount(response: ServerResponse): void {
    this.accountsAsked += 1;
    response.end(JSON.stringify(this.account));
  }

  take(text: string, headers: IncomingHttpHeaders, response: ServerResponse): void {
    const { batch_id: id, events } = JSON.parse(text);
    this.posts.push({ id, headers, text, events });
    const answer = this.answers.shift() ?? 202;
    if (typeof answer === "function") answer(response);
    else {
      const [status, more] = typeof answer === "number" ? [answer, {}] : answer;
      response.writeHead(status, more).end("{}");
    }
    for (const { count, resolve } of this.#waiting) if (this.posts.length >= count) resolve();
  }

  /** Until there have been so many posts. */
  async seen(count: number): Promise<void> {
    if (this.posts.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    }
  }

  get events(): readonly SeenEvent[] {
    return this.posts.flatMap(({ events }) => events);
  }

  of(type: string): readonly SeenEvent["payload"][] {
    return this.events.filter(({ event_type }) => event_type === type).map(({ payload }) => payload);
  }
}

/** Timers that go off when the test says so. */
export class HandTimers {
  readonly waits: number[] = [];
  #pending: { readonly milliseconds: number; readonly work: () => void }[] = [];
  #set: (() => void)[] = [];

  readonly later: Later = (milliseconds, work) => {
    const entry = { milliseconds, work };
    this.waits.push(milliseconds);
    this.#pending.push(entry);
    for (const resolve of this.#set.splice(0)) resolve();
    return () => {
      this.#pending = this.#pending.filter((it) => it !== entry);
    };
  };

  get pending(): readonly number[] {
    return this.#pending.map(({ milliseconds }) => milliseconds);
  }

  /** Until a timer is pending that fits. */
  async until(fits: (milliseconds: number) => boolean): Promise<void> {
    while (!this.pending.some(fits)) await new Promise<void>((resolve) => this.#set.push(resolve));
  }

  fire(): void {
    for (const { work } of this.#pending.splice(0)) work();
  }
}

export interface App {
  readonly server: IngestServer;
  readonly timers: HandTimers;
  readonly log: LogBook;
  readonly telemetry: Telemetry;
  /** What `now` gives. */
  readonly time: { now: number };
}

export const TOKEN = "d2r_secret-token";

/** An instance with a policy in force that sends its usage events to a server of the test's. */
export async function appWithEvents(
  instance: string,
  policies: readonly object[],
  options: { plan?: Partial<TelemetryPlan>; random?: () => number; metadata?: object } = {},
): Promise<App> {
  const { plan: more = {}, random = () => 0.5, metadata = {} } = options;
  const { document, faults } = checkDocument({ metadata, policies });
  if (document === undefined) throw new Error(faults.map(({ message }) => message).join("\n"));
  const server = await IngestServer.start();
  const timers = new HandTimers();
  const log = new LogBook();
  const time = { now: Date.UTC(2026, 5, 1) };
  const plan = {
    metrics: false,
    usage: true,
    hashUserIds: false,
    userIdsInMetrics: false,
    exports: false,
    ...more,
  };
  // The parts that telemetry reads.
  const cloud = { apiUrl: server.url, token: TOKEN } as CloudSettings;
  const source = {
    name: "test",
    load: never,
    loadSync: never,
    subscribe: never,
    close: async () => undefined,
  };
  const of = { instance, source, clock: () => time.now, logger: log, cloud, telemetry: plan };
  const telemetry = startTelemetry(of, { random, later: timers.later });
  if (telemetry === undefined) throw new Error("there is no telemetry");
  instanceSlot(instance).enforcer = {
    plan: compilePlan(document),
    clock: () => time.now,
    logger: log,
    strict: false,
    recorder: telemetry.witness(undefined),
  };
  const app = { server, timers, log, telemetry, time };
  onTestFinished(async () => {
    server.answers.length = 0;
    await telemetry.close();
    instanceSlot(instance).enforcer = undefined;
  });
  return app;
}

const never = (): never => {
  throw new Error("not asked in this test");
};
