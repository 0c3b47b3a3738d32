import type { Problem } from "./problem.js";
import type { Answer } from "./route.js";

/** On every answer. Whatever is served is data for programs, of nobody else's concern, and never a page. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
});

const HSTS = Object.freeze({ "Strict-Transport-Security": "max-age=31536000" });

const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** How answers become responses. `encrypted`: TLS is spoken here. `closing`: connections are not kept any more. */
export class ResponseWriter {
  readonly #always: Readonly<Record<string, string>>;
  readonly #closing: () => boolean;

  constructor(encrypted: boolean, closing: () => boolean) {
    this.#always = encrypted ? { ...SECURITY_HEADERS, ...HSTS } : SECURITY_HEADERS;
    this.#closing = closing;
  }

  /** @throws Error when a handler made a header that cannot be sent */
  answer({ status, headers, body }: Answer, requestId: string): Response {
    // A 304 only confirms an answer that the client has, with its headers.
    const all: Record<string, string> =
      status === 304
        ? { "Cache-Control": "no-store", "X-Request-Id": requestId }
        : { ...this.#always, "X-Request-Id": requestId };
    if (body !== undefined && typeof body === "object" && !(body instanceof Uint8Array)) {
      all["Content-Type"] = "application/json";
    }
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined) continue;
      if (!HEADER_VALUE.test(value)) throw new Error(`the header \`${name}\` cannot be sent`);
      all[name] = value;
    }
    if (this.#closing()) all["Connection"] = "close";
    return new Response(payload(body), { status, headers: all });
  }

  problem(problem: Problem, requestId: string): Response {
    return this.answer(
      {
        status: problem.status,
        headers: { ...problem.headers, "Content-Type": "application/problem+json" },
        body: JSON.stringify({ ...problem.document(), request_id: requestId }),
      },
      requestId,
    );
  }
}

function payload(body: Answer["body"]): string | Uint8Array<ArrayBuffer> | null {
  if (body === undefined) return null;
  if (typeof body === "string") return body;
  if (!(body instanceof Uint8Array)) return JSON.stringify(body);
  // A response takes bytes that nobody else shares.
  return body.buffer instanceof ArrayBuffer
    ? new Uint8Array(body.buffer, body.byteOffset, body.length)
    : body.slice();
}
