// Replays a log wherever this runs, and gives the result as one text. In a browser it is bundled as it stands.
import { canonicalJson } from "d2-core";
import { replayLog } from "d2-policy/log";

/**
 * @param {string} log
 * @param {Record<string, string>} policies Texts by digest.
 */
export async function replayHere(log, policies) {
  const result = await replayLog([log], { policies: (digest) => ({ text: policies[digest] ?? "" }) });
  return canonicalJson(JSON.parse(JSON.stringify(result)));
}
