import { Readable } from "node:stream";
import { ReadableStream, TransformStream } from "node:stream/web";
import type { RequestSession } from "./run-request.js";

/**
 * Hands a stream on as it is, but draws from it in the context of the request, whoever reads. So guarded calls that are
 * made to produce the next chunk find their user.
 *
 * @param over called once, when the stream has ended, failed or been cancelled
 */
export function adoptStream<T>(
  session: RequestSession,
  source: ReadableStream<T>,
  over: () => void = () => undefined,
): ReadableStream<T> {
  // Room for one chunk lets a body that nobody reads, and that is short, come to its end.
  const { readable, writable } = new TransformStream<T, T>(undefined, undefined, { highWaterMark: 1 });
  // The reader learns of a failure from `readable`.
  session.run(() => source.pipeTo(writable)).then(over, over);
  return readable;
}

/** The same for the body of a response that has not been sent yet. Bodies that are no streams stay as they are. */
export function adoptBody(session: RequestSession, response: { body: unknown }): void {
  const { body } = response;
  if (body instanceof Readable) {
    const read = body._read;
    body._read = (size) => session.run(() => Reflect.apply(read, body, [size]));
    session.adopt(body);
    return;
  }
  const stream = body instanceof Response ? body.body : body;
  if (stream instanceof ReadableStream && !stream.locked) response.body = adoptStream(session, stream);
}
