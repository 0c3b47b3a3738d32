import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";

/** Events as the SDK sends them, without the fields that are rare. */
export function batchBody(events: number, salt: number): Buffer {
  const list = Array.from({ length: events }, (_, n) => {
    const denied = (n + salt) % 10 === 0;
    return {
      event_type: "authz_decision",
      payload: {
        service: "bench",
        host: "worker-7.example.com",
        pid: 4711,
        flush_interval_s: 60,
        user_id: `user-${(n * 7 + salt) % 500}`,
        request_id: randomUUID(),
        policy_etag: '"7.0f8fad5bd9cb469f"',
        tool_id: `area_${n % 5}.tool_${(n + salt) % 40}`,
        result: denied ? "denied" : "allowed",
        ...(denied ? { reason: "role_mismatch" } : {}),
        decision_ms: 0.012,
        mode: "cloud",
      },
      occurred_at: new Date(Date.now() - n).toISOString(),
    };
  });
  return Buffer.from(JSON.stringify({ events: list }));
}

export interface BatchLoadOptions {
  readonly url: string;
  readonly token: string;
  readonly bodies: readonly Buffer[];
  /** Batches on their way at once. */
  readonly atOnce: number;
}

/** Sends batches, each with an id of its own. */
export class BatchLoad {
  readonly #options: BatchLoadOptions;
  readonly #agent: Agent;
  readonly #url: URL;
  #sent = 0;

  constructor(options: BatchLoadOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.atOnce });
    this.#url = new URL("/v1/events/ingest", options.url);
  }

  /** @returns batches that were answered with 202, and how long it took. @throws Error for every other answer */
  async run(milliseconds: number): Promise<{ readonly batches: number; readonly milliseconds: number }> {
    const begin = performance.now();
    let batches = 0;
    const work = async (): Promise<void> => {
      while (performance.now() - begin < milliseconds) {
        await this.#send();
        batches++;
      }
    };
    await Promise.all(Array.from({ length: this.#options.atOnce }, work));
    return { batches, milliseconds: performance.now() - begin };
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(): Promise<void> {
    const { bodies, token } = this.#options;
    const body = bodies[this.#sent++ % bodies.length] ?? Buffer.alloc(0);
    return new Promise((resolve, reject) => {
      const sent = request(this.#url, {
        method: "POST",
        agent: this.#agent,
        headers: {
          Authorization: `Bearer ${token}`,
          "Content-Type": "application/json",
          "Content-Length": body.length,
          "X-Request-Id": randomUUID(),
        },
      });
      sent.on("error", reject).on("response", (response) => {
        response.resume().on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 202) resolve();
          else reject(new Error(`a batch was answered with ${response.statusCode}`));
        });
      });
      sent.end(body);
    });
  }
}
