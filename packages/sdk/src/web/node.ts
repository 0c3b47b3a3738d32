import type { IncomingMessage, ServerResponse } from "node:http";
import { consoleLogger } from "../setup/logger.js";
import { instanceSlot } from "../setup/registry.js";
import type { Extractor } from "./extractor.js";
import { answersRefusals, problemOf, sendProblem, type WebOptions } from "./problem.js";
import { openNodeRequest, type RequestSession } from "./run-request.js";

export {
  type Extractor,
  type HeaderList,
  type HeaderRecord,
  type HeaderSource,
  headersExtractor,
  type RequestUser,
} from "./extractor.js";
export type { WebOptions } from "./problem.js";

/**
 * Makes a request listener for `http.createServer` that runs `handler` for the user whom `extract` tells. The session
 * ends when the response is over or broken off, or the handler throws.
 *
 * A refused call that the handler lets through becomes a 403 problem document; its other errors reject the promise
 * that the listener returns, which node treats like the rejection of any async listener. When `extract` fails, the
 * handler does not run, the client gets status 500, and the error is logged. With `errors: "throw"` all of them reject.
 *
 * @throws TypeError when an option is not one
 */
export function withD2<Req extends IncomingMessage, Res extends ServerResponse>(
  extract: Extractor<Req>,
  handler: (request: Req, response: Res) => unknown,
  options: WebOptions = {},
): (request: Req, response: Res) => Promise<void> {
  const answers = answersRefusals(options);
  return async (request, response) => {
    let session: RequestSession;
    try {
      session = await openNodeRequest(extract, request, request, response);
    } catch (error) {
      if (!answers) throw error;
      refuseRequest(response, error);
      return;
    }
    try {
      await session.run(() => handler(request, response));
    } catch (error) {
      session.end();
      const problem = answers ? problemOf(error) : undefined;
      if (problem === undefined || !sendProblem(response, problem)) throw error;
    }
  };
}

/** Answers a request whose user could not be told. */
function refuseRequest(response: ServerResponse, error: unknown): void {
  const problem = problemOf(error);
  sendProblem(
    response,
    problem ?? {
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      detail: "Who makes the request could not be told.",
    },
  );
  if (problem !== undefined) return;
  const logger = instanceSlot().enforcer?.logger ?? consoleLogger;
  logger.error(
    `a request was answered with status 500, because its user could not be told: ${String(error)}`,
  );
}
