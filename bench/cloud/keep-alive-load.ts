import { connect, type Socket } from "node:net";

const STATUS = "304";
const END = "\r\n\r\n";

/** Connections to one server, each of which sends the same request again as soon as it is answered. */
export class KeepAliveLoad {
  readonly #sockets: readonly Socket[];
  readonly #request: string;
  #running = false;
  #answers = 0;
  #idle = 0;
  #stopped: () => void = () => undefined;
  #failure: Error | undefined;

  private constructor(sockets: readonly Socket[], request: string) {
    this.#sockets = sockets;
    this.#request = request;
    for (const socket of sockets) this.#listen(socket);
  }

  /** @param headers of the request, which is a `GET` of the path */
  static async open(
    url: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    connections: number,
  ): Promise<KeepAliveLoad> {
    const { hostname, port, host } = new URL(url);
    const sockets = await Promise.all(
      Array.from({ length: connections }, async () => {
        const socket = connect(Number(port), hostname).setNoDelay();
        await new Promise<void>((resolve, reject) => {
          socket.once("connect", resolve).once("error", reject);
        });
        return socket;
      }),
    );
    const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}`);
    return new KeepAliveLoad(sockets, [`GET ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
  }

  /** @returns answers a second. @throws Error when there is another than 304, or a connection breaks */
  async run(milliseconds: number): Promise<number> {
    this.#answers = 0;
    this.#idle = 0;
    this.#running = true;
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    const begin = performance.now();
    for (const socket of this.#sockets) socket.write(this.#request);
    setTimeout(() => {
      this.#running = false;
    }, milliseconds);
    await stopped;
    if (this.#failure !== undefined) throw this.#failure;
    return (this.#answers * 1000) / (performance.now() - begin);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(socket: Socket): void {
    let head = "";
    socket.on("data", (chunk: Buffer) => {
      // A 304 has no body: it ends with its headers.
      head += chunk.toString("latin1");
      if (!head.endsWith(END)) return;
      if (head.slice(9, 12) !== STATUS) return this.#fail(new Error(`not a ${STATUS}: ${head}`));
      head = "";
      this.#answers++;
      if (this.#running) socket.write(this.#request);
      else this.#rest();
    });
    socket.on("close", () => this.#fail(new Error("the server has closed a connection")));
  }

  #rest(): void {
    this.#idle++;
    if (this.#idle === this.#sockets.length) this.#stopped();
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    this.#running = false;
    this.#stopped();
  }
}
