import { CloudError } from "./cloud-error.js";
import type { Access } from "./credentials.js";

/** Milliseconds until an answer must be there, body included. */
const TIMEOUT = 15_000;
/** Largest answer that is read, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface Question {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the control plane's URL: `/v1/accounts/me`. */
  readonly path: string;
  /** Absent values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | Uint8Array;
  /** Statuses beside 2xx that are answers and no errors. */
  readonly accept?: readonly number[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined where there is none. */
  readonly body: unknown;
}

/** The control plane, as one token sees it. */
export class ControlPlane {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get url(): string {
    return this.#access.apiUrl;
  }

  /** @throws CloudError for every answer that is none of the accepted, and when there is none */
  async ask(question: Question): Promise<Reply> {
    const { apiUrl, token } = this.#access;
    const url = new URL(`${apiUrl}${question.path}`);
    for (const [name, value] of Object.entries(question.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return this.#send(url, question, { authorization: `Bearer ${token}` });
  }

  /** The text of the key list. */
  async keyList(): Promise<string> {
    const { body } = await this.#send(new URL(this.#access.jwksUrl), { path: "" }, {});
    return JSON.stringify(body);
  }

  async #send(url: URL, question: Question, more: Readonly<Record<string, string>>): Promise<Reply> {
    const { method = "GET", headers = {}, body, accept = [] } = question;
    const json = body !== undefined && !(body instanceof Uint8Array);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: { ...more, ...(json ? { "content-type": "application/json" } : {}), ...headers },
        body: body === undefined ? null : json ? JSON.stringify(body) : Buffer.from(body),
        // A redirect would take the token elsewhere.
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      text = await textOf(response);
    } catch (error) {
      if (error instanceof CloudError) throw error;
      throw CloudError.unreachable(this.url, error);
    }
    if (response.status >= 300 && response.status < 400 && response.status !== 304) {
      throw new CloudError(
        `${this.url} answers with a redirect (${response.status}), which is not followed: check the URL`,
        {
          code: "redirect",
          status: response.status,
        },
      );
    }
    const parsed = parse(text);
    if (!response.ok && !accept.includes(response.status))
      throw CloudError.of(response.status, parsed, this.url);
    return { status: response.status, headers: response.headers, body: parsed };
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_BYTES) {
      throw new CloudError("the answer is larger than any that is expected, and was not read", {
        code: "too_large",
        status: response.status,
      });
    }
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an answer of something that is no control plane
  }
}
