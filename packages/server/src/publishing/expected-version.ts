import { entityTags } from "../bundles/entity-tags.js";
import { Problem } from "../http/problem.js";
import type { Statement } from "./statement.js";

/**
 * The version that must be live for an upload to be taken; undefined: whichever is.
 *
 * An ETag stands for its version: that bundles are signed anew now and then is no update that could be lost. `*` is what
 * the public client always sends, also for a first version.
 *
 * @param current the version that is live; 0: none
 * @throws Problem 412 when it is another one already
 */
export function expectedVersion(
  statement: Statement | undefined,
  ifMatch: string | undefined,
  current: number,
): number | undefined {
  const tags = ifMatch === undefined ? "*" : (entityTags(ifMatch, false) ?? []);
  const named = tags === "*" ? undefined : tags.map(versionOf);
  if (named !== undefined && !named.includes(current)) throw versionConflict(current);
  const stated = statement?.expectedVersion;
  if (stated !== undefined && stated !== current) throw versionConflict(current);
  return named === undefined ? stated : current;
}

function versionOf(etag: string): number | undefined {
  const found = /^"([1-9]\d{0,14})\.[0-9a-f]{16}"$/.exec(etag);
  return found === null ? undefined : Number(found[1]);
}

export function versionConflict(current: number): Problem {
  return new Problem(412, "version_conflict", {
    detail: "another version is live than the one that this was made from: fetch it, and publish again",
    members: { current_version: current },
  });
}
