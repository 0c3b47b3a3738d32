import { createServer, type IncomingHttpHeaders } from "node:http";
import { onTestFinished } from "vitest";

/** An answer on its way, to be changed. */
export interface PassingAnswer {
  status: number;
  readonly headers: Map<string, string>;
  body: string;
}

export interface PassingRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server that hands everything on to another one and changes answers. It ends with the test. @returns its URL */
export async function alteringProxy(
  target: string,
  alter: (answer: PassingAnswer, request: PassingRequest) => void,
): Promise<string> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "", url: path = "", headers } = incoming;
    const { host: _, connection: __, "content-length": ___, "transfer-encoding": ____, ...kept } = headers;
    const response = await fetch(`${target}${path}`, {
      method,
      headers: Object.entries(kept).flatMap(([name, value]): [string, string][] =>
        typeof value === "string" ? [[name, value]] : [],
      ),
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const answer: PassingAnswer = {
      status: response.status,
      headers: new Map(response.headers),
      body: await response.text(),
    };
    for (const name of ["connection", "keep-alive", "content-length", "transfer-encoding"]) {
      answer.headers.delete(name);
    }
    alter(answer, { method, path, headers });
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    outgoing.end(answer.body === "" || answer.status === 304 ? undefined : answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return `http://127.0.0.1:${address.port}`;
}
