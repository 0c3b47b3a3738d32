import { InvalidSignatureError } from "d2-core/call";
import { type JwsHeader, shown } from "./jws.js";
import { type ListedKey, readKeyList } from "./key-list.js";
import { runSteps, type Steps } from "./steps.js";
import { type Bundle, type RawBundle, verifyBundle } from "./verify-bundle.js";

/**
 * Verifies a bundle against a key list that was fetched before, as the guard does at each of its own fetches.
 *
 * @param keyList the text of the control plane's JWKS
 * @param now milliseconds since 1970-01-01T00:00:00Z
 * @throws (as a rejection) InvalidSignatureError, BundleExpiredError, PolicyError
 */
export function openBundle(raw: RawBundle, keyList: string, now: number): Promise<Bundle> {
  const keys = readKeyList(keyList);
  // biome-ignore lint/correctness/useYield: the keys are at hand, so there is nothing to wait for
  const find = function* ({ kid, alg }: JwsHeader): Steps<ListedKey> {
    const key = keys.get(kid);
    if (key?.alg === alg) return key;
    throw new InvalidSignatureError(
      `the bundle is signed with the key ${shown(kid)} (${alg}), which is not in the control plane's key list`,
    );
  };
  const never = () => () => undefined;
  return runSteps(verifyBundle(raw, find, now), never, new AbortController().signal);
}
