import { isMapping } from "../values/kind.js";
import { type Act, DENIED, REDACTED, REMOVED } from "./act.js";
import { counted } from "./counted.js";
import type { Visits } from "./memory.js";
import { readSpecial } from "./special.js";
import { actOnTexts } from "./texts.js";

/**
 * What an act makes of an inspected object at the end of its path: the object itself where it does not fire. First the
 * operators judge it as a whole, then those that look at text are tried on every string inside.
 *
 * @param special whether anything in the value counts as other than it is
 */
export function actOnWhole(act: Act, value: object, special: boolean, visits: Visits): unknown {
  let whole = value;
  if (special && !Array.isArray(value) && !isMapping(value)) {
    const read = readSpecial(value);
    if (read.kind === "text") {
      const text = read.read();
      const next = act.onLeaf(text);
      return next === text ? value : next;
    }
  }
  if (act.firesOnWhole(special ? counted(value) : value)) {
    switch (act.action) {
      case "filter":
        return REMOVED;
      case "deny":
        return DENIED;
      case "truncate":
        whole = cutList(value, act.length);
        break;
      case "redact":
        // Where the pattern is found inside, replacing its matches is enough.
        if (act.findsMatch === undefined || actOnTexts(value, act.findsMatch, visits) !== DENIED)
          return REDACTED;
    }
  }
  return act.onText === undefined ? whole : actOnTexts(whole, act.onText, visits);
}

/** The first items of a list or set; anything else cannot be cut. */
function cutList(value: object, length: number): object {
  if (Array.isArray(value)) return value.length > length ? value.slice(0, length) : value;
  if (isMapping(value)) return value;
  const special = readSpecial(value);
  return special.kind === "items" && special.items.length > length ? special.items.slice(0, length) : value;
}
