/** A GET request. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds until the whole answer, body included, must be there. */
  readonly timeoutMs: number;
  /** The largest body that is read, in bytes, after decompression. */
  readonly maxBytes: number;
}

/** Why there is no answer to speak of. */
export type HttpFault = "timeout" | "redirect" | "too_large" | "cut_short" | "not_text" | "unreachable";

/** What came back: an answer with any status that is no redirect, or nothing that may be used. */
export type HttpReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Empty where there is none. */
      readonly body: string;
      readonly etag: string | null;
      readonly pollSeconds: string | null;
      readonly retryAfter: string | null;
    }
  | { readonly kind: "fault"; readonly fault: HttpFault; readonly code: string };

/**
 * Makes a GET request. Follows no redirect, since the headers hold a token, and never rejects.
 *
 * INVARIANT: refers to nothing outside of itself but globals, for its text also runs in the thread of the blocking
 * set-up (`blocking-thread.ts`).
 */
export async function httpGet(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
  let began = false;
  try {
    const { url, headers, maxBytes } = request;
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const { status } = response;
    if ((status >= 300 && status < 400 && status !== 304) || response.type === "opaqueredirect") {
      await response.body?.cancel();
      return { kind: "fault", fault: "redirect", code: String(status) };
    }
    began = true;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const reader = response.body?.getReader();
    while (reader !== undefined) {
      const part = await reader.read();
      if (part.done) break;
      bytes += part.value.byteLength;
      if (bytes > maxBytes) {
        await reader.cancel();
        return { kind: "fault", fault: "too_large", code: String(bytes) };
      }
      chunks.push(part.value);
    }
    let body: string;
    try {
      body = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
    } catch {
      // Replacing what cannot be read might turn one name into another.
      return { kind: "fault", fault: "not_text", code: "" };
    }
    return {
      kind: "answer",
      status,
      body,
      etag: response.headers.get("etag"),
      pollSeconds: response.headers.get("x-d2-poll-seconds"),
      retryAfter: response.headers.get("retry-after"),
    };
  } catch (error) {
    if (signal.aborted) return { kind: "fault", fault: "timeout", code: "" };
    let code = "";
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      if ("code" in at && typeof at.code === "string") code = at.code;
    }
    return { kind: "fault", fault: began ? "cut_short" : "unreachable", code };
  }
}
