import { BundleExpiredError, PermissionDeniedError, type ReasonCode } from "d2-core/call";

/** How a refused call is told to the client: a problem document of RFC 9457, with nothing of the user or the data. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Reason code. */
  readonly reason?: ReasonCode;
  /** Id of the tool that was refused. */
  readonly tool?: string;
}

/** What all web entry points can be told. */
export interface WebOptions {
  /**
   * What becomes of a refused call that the handler lets through. `problem` (default): the client gets status 403 with
   * a problem document. `throw`: the error goes the way of every other one.
   */
  readonly errors?: "problem" | "throw";
}

/** Media type of problem documents. */
export const PROBLEM_TYPE = "application/problem+json";

/** A refusal concerns one caller at one moment: no cache may give it to another. */
export const PROBLEM_HEADERS = Object.freeze({ "content-type": PROBLEM_TYPE, "cache-control": "no-store" });

const DETAILS: Readonly<Record<ReasonCode, string>> = {
  ok: "The call was not completed.",
  no_context: "The request acts for no user, and the call needs one.",
  missing_policy: "The policy permits this call to nobody.",
  rbac_denied: "The policy does not permit this call to the roles of the user.",
  sequence_violation: "The call may not follow what this request has done before.",
  data_flow_violation: "The request has touched data that may not reach this call.",
  input_validation: "An argument of the call is not acceptable.",
  output_validation: "The result of the call is not acceptable.",
  output_sanitization: "The result of the call may not be handed out.",
  policy_unavailable: "There is no policy that could permit the call.",
  policy_expired: "The policy has expired.",
  strict_sync: "The call is switched off here.",
  evaluation_error: "Whether the call is permitted could not be decided.",
};

/** The document for an error that is the refusal of a guarded call; undefined for every other error. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof PermissionDeniedError) return refused(error.reason, error.toolId);
  // The same class also tells that a policy could not be loaded, which is no refusal.
  if (error instanceof BundleExpiredError && error.refusal !== undefined) {
    return refused(error.reason, error.refusal.toolId);
  }
  return undefined;
}

function refused(reason: ReasonCode, tool: string): Problem {
  return { type: "about:blank", title: "Forbidden", status: 403, detail: DETAILS[reason], reason, tool };
}

/** Checks the options that a user passed. Gives whether refusals become problem documents. */
export function answersRefusals(options: WebOptions): boolean {
  const { errors } = options;
  if (errors === undefined || errors === "problem") return true;
  if (errors === "throw") return false;
  throw new TypeError('`errors` must be "problem" or "throw"');
}

/** The part of node's response that answering with a problem takes. */
export interface ProblemResponse {
  statusCode: number;
  statusMessage: string;
  readonly headersSent: boolean;
  setHeader(name: string, value: string | number): unknown;
  removeHeader(name: string): void;
  end(body: string): unknown;
}

/** Headers of a body that is not sent now. */
export const BODY_HEADERS: readonly string[] = [
  "content-encoding",
  "content-language",
  "content-range",
  "content-disposition",
  "transfer-encoding",
  "etag",
  "last-modified",
];

/** Answers with a problem document. Gives false, and does nothing, when an answer has already begun. */
export function sendProblem(response: ProblemResponse, problem: Problem): boolean {
  if (response.headersSent) return false;
  const body = JSON.stringify(problem);
  for (const name of BODY_HEADERS) response.removeHeader(name);
  response.statusCode = problem.status;
  response.statusMessage = "";
  for (const [name, value] of Object.entries(PROBLEM_HEADERS)) response.setHeader(name, value);
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
  return true;
}
