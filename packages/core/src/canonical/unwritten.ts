/** Why a value stands in a record as its kind alone. */
export type UnwrittenKind = (typeof UNWRITTEN_KINDS)[number];

const UNWRITTEN_KINDS = [
  "function",
  "symbol",
  /** A bigint of more than 400 digits. */
  "long_integer",
  /** A string that holds a surrogate without its partner. */
  "ill_formed_string",
  /** A mapping with such a string as a key. */
  "ill_formed_key",
  /** A property that would have to be computed. */
  "accessor",
  /** A mapping or list with symbol keys, hidden properties, or (a list) further properties. */
  "hidden_key",
  /** A list with holes. */
  "sparse_list",
  /** A container inside itself. */
  "cycle",
  /** A container below the deepest level that is written. */
  "depth",
  "proxy",
  "date",
  "map",
  "set",
  /** An ArrayBuffer or a view of one. */
  "bytes",
  /** Every other object that is not plain data: class instances, boxed primitives, errors, promises, patterns. */
  "object",
  /** An object that refused to be looked at. */
  "unreadable",
] as const;

/** Stands, after decoding, for a value of which only the kind was recorded. No policy operator takes it for data. */
export class UnwrittenValue {
  readonly #kind: UnwrittenKind;
  constructor(kind: UnwrittenKind) {
    this.#kind = kind;
  }
  get kind(): UnwrittenKind {
    return this.#kind;
  }
  /** The kind that a value stands for; `undefined` for everything but an `UnwrittenValue`. Asks the object nothing. */
  static kindOf(value: object): UnwrittenKind | undefined {
    return #kind in value ? value.#kind : undefined;
  }
}

/** Whether a word read from a record is a kind. */
export function isUnwrittenKind(word: unknown): word is UnwrittenKind {
  return UNWRITTEN_KINDS.some((kind) => kind === word);
}

const BRANDS: readonly { readonly kind: UnwrittenKind; readonly read: (value: object) => unknown }[] = [
  { kind: "date", read: (value) => Date.prototype.getTime.call(value) },
  { kind: "map", read: (value) => Map.prototype.has.call(value, undefined) },
  { kind: "set", read: (value) => Set.prototype.has.call(value, undefined) },
  { kind: "bytes", read: (value) => ArrayBuffer.prototype.slice.call(value, 0, 0) },
];

/** Names an object that is not plain data. Goes by what the engine made, whatever its prototype says; calls none of its code. */
export function kindOfOther(value: object): UnwrittenKind {
  if (ArrayBuffer.isView(value)) return "bytes";
  for (const { kind, read } of BRANDS) {
    try {
      read(value);
      return kind;
    } catch {
      // Not of this kind: these methods refuse every other object.
    }
  }
  return "object";
}
