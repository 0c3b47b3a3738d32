import type { IncomingMessage } from "node:http";
import { Problem } from "./problem.js";

const MAX_DEPTH = 64;
const CLOSE = Object.freeze({ Connection: "close" });

function tooLarge(limit: number): Problem {
  return new Problem(413, "body_too_large", {
    detail: `the body may have at most ${limit} bytes: send less at a time`,
    headers: CLOSE,
  });
}

/**
 * The body to the byte.
 *
 * @param limit bytes
 * @param timeout milliseconds from now to the end of the body
 * @throws Problem 413 beyond the limit, 408 when it takes too long, 415 when it is encoded, 400 when it breaks off
 */
export function readBody(incoming: IncomingMessage, limit: number, timeout: number): Promise<Buffer> {
  const encoding = incoming.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new Problem(415, "encoding_not_supported", { detail: "send the body without `Content-Encoding`" });
  }
  const announced = Number(incoming.headers["content-length"] ?? 0);
  if (announced > limit) throw tooLarge(limit);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => {
      settle();
      reject(
        new Problem(408, "body_too_slow", { detail: "the body did not arrive in time", headers: CLOSE }),
      );
    }, timeout);
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) {
        chunks.push(chunk);
        return;
      }
      settle();
      reject(tooLarge(limit));
    };
    const onEnd = () => {
      settle();
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length));
    };
    const onBreak = () => {
      settle();
      reject(new Problem(400, "body_incomplete", { detail: "the body broke off", headers: CLOSE }));
    };
    const settle = () => {
      clearTimeout(timer);
      incoming.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak);
      // A late error of the connection must not find itself without a listener.
      incoming.on("error", () => undefined);
      incoming.pause();
    };
    incoming.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak);
  });
}

/**
 * The value of a JSON body; undefined: the body is empty.
 *
 * @throws Problem 415 when the content type is another one, 400 when the text is not JSON in UTF-8 or nests too deep
 */
export function parseJson(bytes: Uint8Array, contentType: string | undefined): unknown {
  if (bytes.length === 0) return undefined;
  if (contentType !== undefined && !/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType)) {
    throw new Problem(415, "json_expected", { detail: "send the body as `application/json`" });
  }
  if (deeperThan(bytes, MAX_DEPTH)) {
    throw new Problem(400, "json_too_deep", {
      detail: `lists and objects may be nested at most ${MAX_DEPTH} deep`,
    });
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's own words would quote the body.
    throw new Problem(400, "json_invalid", { detail: "the body is not JSON in UTF-8" });
  }
}

/** Counts brackets outside of texts; for input that is not JSON the answer means nothing. */
function deeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inText) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth++;
      if (depth > limit) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}
