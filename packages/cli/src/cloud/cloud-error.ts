interface Facts {
  readonly code: string;
  readonly status?: number | undefined;
  readonly diagnostics?: readonly unknown[] | undefined;
  readonly cause?: unknown;
}

/** The control plane has said no, or nothing. */
export class CloudError extends Error {
  override readonly name = "CloudError";
  /** That of the problem document, or our own word. */
  readonly code: string;
  readonly status: number | undefined;
  readonly diagnostics: readonly unknown[] | undefined;

  constructor(message: string, { code, status, diagnostics, cause }: Facts) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = status;
    this.diagnostics = diagnostics;
  }

  static unreachable(url: string, cause: unknown): CloudError {
    const code = cause instanceof Error ? causeCode(cause) : "";
    const why = code === "" ? "" : ` (${code})`;
    return new CloudError(
      `no answer from ${url}${why}: check the URL and the network, and whether the server runs`,
      {
        code: "unreachable",
        cause,
      },
    );
  }

  /** The error that a problem document tells, in words that say what to do. */
  static of(status: number, body: unknown, url: string): CloudError {
    const problem: Readonly<Record<string, unknown>> =
      typeof body === "object" && body !== null ? { ...body } : {};
    const code = typeof problem["code"] === "string" ? problem["code"] : `http_${status}`;
    const detail = typeof problem["detail"] === "string" ? `: ${problem["detail"]}` : "";
    const { diagnostics } = problem;
    return new CloudError(`${meaning(status, code, url)}${detail}`, {
      code,
      status,
      diagnostics: Array.isArray(diagnostics) ? diagnostics : undefined,
    });
  }
}

function meaning(status: number, code: string, url: string): string {
  switch (status) {
    case 401:
      return "the token is not valid (any more): log in with another";
    case 402:
      return "the plan's limit is reached: make the policy smaller, or ask for a larger plan";
    case 403:
      return code === "quota_apps_exceeded"
        ? "the plan has no room for another app: publish to one that is there, or ask for a larger plan"
        : "the token may not do this: ask for one with the scope that is missing";
    case 404:
      return "there is nothing of that name";
    case 410:
      return "the app is revoked: publish a newer version to bring it back";
    case 412:
      return "somebody else has published meanwhile: look at it with `d2 pull`, then publish again";
    case 413:
      return "the policy is larger than the control plane takes";
    case 422:
      return "the control plane refuses it";
    case 429:
      return "too many requests: wait a moment";
  }
  return `${url} answers ${status}`;
}

function causeCode(error: Error): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return error.name === "TimeoutError" ? "it took too long" : "";
}
