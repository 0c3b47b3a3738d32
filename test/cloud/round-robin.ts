import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";

/** A balancer: each request goes to the next server; one that is not there is passed over. */
export class RoundRobin {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
  #backends: readonly string[] = [];
  #next = 0;
  /** Requests that each server has answered, by URL. */
  readonly answered = new Map<string, number>();

  /** @returns its URL */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    return `http://127.0.0.1:${address.port}`;
  }

  /** The servers from now on. */
  serve(backends: readonly string[]): void {
    this.#backends = backends;
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    for (let tried = 0; tried < this.#backends.length; tried++) {
      const backend = this.#backends[this.#next++ % this.#backends.length] ?? "";
      const answer = await this.#ask(backend, incoming, Buffer.concat(parts));
      if (answer === "absent") continue;
      if (answer === "lost") break;
      this.answered.set(backend, (this.answered.get(backend) ?? 0) + 1);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, outgoing, () => undefined);
      return;
    }
    outgoing.destroy();
  }

  #ask(
    backend: string,
    { method, url = "", headers }: IncomingMessage,
    body: Buffer,
  ): Promise<IncomingMessage | "absent" | "lost"> {
    return new Promise((resolve) => {
      const asked = request(new URL(url, backend), { method, headers, agent: this.#agent }, resolve);
      // Only what no server has seen may be given to another.
      asked.on("error", (error) => {
        resolve("code" in error && error.code === "ECONNREFUSED" ? "absent" : "lost");
      });
      asked.end(body);
    });
  }
}
