import { isProxy } from "#platform";
import { compareCodePoints } from "../canonical/code-point-order.js";
import { isList, isMapping } from "../values/kind.js";
import { isBlank } from "./blank.js";
import { InvalidAnchorError } from "./contract-error.js";
import { frozenCopy } from "./frozen-copy.js";
import { isText } from "./policy-decision.js";

/** What an anchor is. */
export const ANCHOR_TYPES = Object.freeze(["axiom", "maxim", "invariant", "primitive"] as const);
export type AnchorType = (typeof ANCHOR_TYPES)[number];

/** A principle that a decision rests on, as it stands in the event's data. */
export type AnchorEntry = { readonly anchor_id: string; readonly anchor_type: AnchorType };

/** A reference to an anchor. */
export class AnchorRef {
  readonly #entry: AnchorEntry;

  /** @throws {InvalidAnchorError} for a blank id or an unknown type */
  constructor(anchorId: string, anchorType: AnchorType) {
    this.#entry = checkEntry(anchorId, anchorType);
    Object.freeze(this);
  }
  get anchorId(): string {
    return this.#entry.anchor_id;
  }
  get anchorType(): AnchorType {
    return this.#entry.anchor_type;
  }
  /** What a value stands for, if it is an `AnchorRef`. Asks the object nothing. */
  static entryOf(value: object): AnchorEntry | undefined {
    return #entry in value ? value.#entry : undefined;
  }
}

/**
 * Anchors in the one order in which they are hashed: by type, then by id, both by code points.
 *
 * @param anchors a list of `AnchorRef`s and of mappings with exactly `anchor_id` and `anchor_type`
 * @throws {InvalidAnchorError} for anything else, a blank id, an unknown type, and an anchor given twice
 */
export function normalizeAnchors(anchors: unknown): readonly AnchorEntry[] {
  if (!isList(anchors) || isProxy(anchors)) throw new InvalidAnchorError("`anchors_used` must be a list");
  const entries = Array.from(anchors, readEntry).sort(compareEntries);
  for (const [index, entry] of entries.entries()) {
    const next = entries[index + 1];
    if (next !== undefined && compareEntries(entry, next) === 0) {
      throw new InvalidAnchorError("`anchors_used` names an anchor twice: name each once");
    }
  }
  return Object.freeze(entries);
}

function compareEntries(one: AnchorEntry, other: AnchorEntry): number {
  return (
    compareCodePoints(one.anchor_type, other.anchor_type) || compareCodePoints(one.anchor_id, other.anchor_id)
  );
}

function readEntry(anchor: unknown): AnchorEntry {
  if (typeof anchor === "object" && anchor !== null) {
    const entry = AnchorRef.entryOf(anchor);
    if (entry !== undefined) return entry;
    if (isMapping(anchor)) return readMapping(anchor);
  }
  throw new InvalidAnchorError("an entry of `anchors_used` must be a mapping");
}

function readMapping(anchor: object): AnchorEntry {
  const copy = frozenCopy(anchor);
  if (!isMapping(copy) || Object.keys(copy).join() !== "anchor_id,anchor_type") {
    throw new InvalidAnchorError(
      "an entry of `anchors_used` must have exactly `anchor_id` and `anchor_type`",
    );
  }
  return checkEntry(copy["anchor_id"], copy["anchor_type"]);
}

function checkEntry(id: unknown, type: unknown): AnchorEntry {
  if (!isText(id) || isBlank(id)) throw new InvalidAnchorError("`anchor_id` must not be blank");
  const known = ANCHOR_TYPES.find((one) => one === type);
  if (known === undefined) {
    throw new InvalidAnchorError("`anchor_type` must be `axiom`, `maxim`, `invariant` or `primitive`");
  }
  return Object.freeze({ anchor_id: id, anchor_type: known });
}
