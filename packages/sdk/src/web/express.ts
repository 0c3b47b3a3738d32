import { answerFirst, type ErrorMiddleware } from "./express-errors.js";
import type { Extractor, HeaderRecord } from "./extractor.js";
import { answersRefusals, type ProblemResponse, problemOf, sendProblem, type WebOptions } from "./problem.js";
import { type NodeEvents, openNodeRequest } from "./run-request.js";

export {
  type Extractor,
  type HeaderList,
  type HeaderRecord,
  type HeaderSource,
  headersExtractor,
  type RequestUser,
} from "./extractor.js";
export type { WebOptions } from "./problem.js";

/** What is needed of express's request. */
export interface ExpressRequest extends NodeEvents {
  readonly headers: HeaderRecord;
  readonly app?: unknown;
}

/** What is needed of express's response. */
export interface ExpressResponse extends NodeEvents, ProblemResponse {}

/**
 * Makes a middleware for express 5 that runs what comes after it for the user whom `extract` tells. Put it after what
 * authenticates and before the routes. The session ends when the response is over or broken off.
 *
 * A refused call that a handler lets through becomes a 403 problem document. Express gives an error only to middleware
 * that comes later, so at the first request this one puts an error middleware at the end of the application, and in
 * front of each of the application's own. Other errors, also those of `extract`, go to `next` untouched; with
 * `errors: "throw"` refusals do too, and nothing is put anywhere.
 *
 * @throws TypeError when an option is not one
 */
export function d2Express<Req extends ExpressRequest, Res extends ExpressResponse>(
  extract: Extractor<Req>,
  options: WebOptions = {},
): (request: Req, response: Res, next: (error?: unknown) => void) => Promise<void> {
  const answers = answersRefusals(options);
  const requests = new WeakSet<object>();
  const answer: ErrorMiddleware = (error, request, response, next) => {
    const problem = requests.has(request) ? problemOf(error) : undefined;
    return problem !== undefined && sendProblem(response, problem) ? undefined : next(error);
  };
  const inFront = answerFirst(answer);
  return async (request, response, next) => {
    if (answers) {
      requests.add(request);
      inFront(request.app);
    }
    // Express gives a rejection to `next`.
    const session = await openNodeRequest(extract, request, request, response);
    session.run(() => next());
  };
}
