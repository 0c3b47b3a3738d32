import { createRequire } from "node:module";
import type { Socket } from "node:net";

const require = createRequire(import.meta.url);

export interface ExchangeRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Milliseconds until the whole answer must be there. */
  readonly timeoutMs: number;
}

/** Undefined: there is no answer that may be used. */
export type ExchangeAnswer =
  | { readonly status: number; readonly body: string; readonly retryAfter: string | undefined }
  | undefined;

/** A request on its way. */
export interface Exchange {
  /** Never rejects. */
  readonly answer: Promise<ExchangeAnswer>;
  /** From now on the process stays alive for it. */
  hold(): void;
  abort(): void;
}

/** The longest answer that is read, in characters. */
const MAX_ANSWER = 64 * 1024;

/**
 * Makes a request that does not keep the process alive, which `fetch` cannot. Follows no redirect, since the headers
 * hold a token.
 */
export function exchange(request: ExchangeRequest): Exchange {
  // Loaded when there is something to send.
  const client: typeof import("node:http") = request.url.startsWith("https:")
    ? require("node:https")
    : require("node:http");
  const { method, url, headers, body, timeoutMs } = request;
  let socket: Socket | undefined;
  let held = false;
  let end: (answer: ExchangeAnswer) => void = () => undefined;
  const ended = new Promise<ExchangeAnswer>((resolve) => {
    end = resolve;
  });
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = client.request(url, { method, headers: { ...headers, ...length }, agent: false });
  const abort = (): void => {
    end(undefined);
    sent.destroy();
  };
  const timer = setTimeout(abort, timeoutMs).unref();
  sent.on("socket", (its) => {
    socket = its;
    if (!held) its.unref();
  });
  sent.on("error", () => end(undefined));
  sent.on("close", () => end(undefined));
  sent.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => {
      if (text.length + part.length > MAX_ANSWER) abort();
      else text += part;
    });
    response.on("error", () => end(undefined));
    response.on("end", () => {
      const { statusCode = 0, complete } = response;
      const retryAfter = response.headers["retry-after"];
      end(complete ? { status: statusCode, body: text, retryAfter } : undefined);
    });
  });
  sent.end(body);
  return {
    answer: ended.finally(() => clearTimeout(timer)),
    hold: () => {
      held = true;
      socket?.ref();
    },
    abort,
  };
}
