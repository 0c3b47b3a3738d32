import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Something that came in. */
export interface Arrival {
  readonly path: string;
  readonly body: string;
}

/** A listener on the loopback interface that stands for the rest of the world, and keeps what it is sent. */
export interface Outside {
  readonly url: string;
  /** What has come in since this was last asked. */
  take(): Arrival[];
  close(): Promise<void>;
}

export async function listenOutside(): Promise<Outside> {
  let arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    arrivals.push({ path: request.url ?? "/", body: await text(request) });
    response.end("thanks");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address()` is a text for pipes and null before listening; this one listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    take: () => {
      const taken = arrivals;
      arrivals = [];
      return taken;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
