import { type FaultDetails, MAX_DOCUMENT_DEPTH, type PolicyTree, quoted, UNREADABLE } from "d2-core";
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { TextRange } from "./yaml-compose.js";

/** Values that aliases may add: about what a text of the default size limit could spell out. */
export const MAX_ALIASED_VALUES = 1_000_000;

/** Reports a fault whose place is known by offsets. */
export type ReportFault = (
  code: string,
  message: string,
  path: readonly (string | number)[],
  range: TextRange,
  details?: FaultDetails,
) => void;

interface Anchored {
  readonly node: Node;
  readonly tree: PolicyTree;
  /** Values inside, itself included, with what aliases inside stand for. */
  readonly size: number;
  /** Levels of nesting, itself included; a scalar has none. */
  readonly height: number;
}

/**
 * Turns a composed YAML document into a policy tree. This is done here, and not by the library, so that duplicate keys
 * are found without comparing each key with all others, aliases cannot multiply without bound, and keys keep to strings.
 */
export class YamlTree {
  readonly tree: PolicyTree;
  readonly #root: Node | null;
  readonly #report: ReportFault;
  /** By name; a later anchor of the same name takes the place of the earlier one, as YAML says. */
  readonly #anchors = new Map<string, Anchored>();
  readonly #open = new Set<string>();
  readonly #targets = new Map<Alias, Node>();
  readonly #path: (string | number)[] = [];
  #size = 0;
  /** Values that aliases have added so far. */
  #aliased = 0;
  /** Levels of the node converted last. */
  #height = 0;

  constructor(document: Document.Parsed, report: ReportFault) {
    this.#report = report;
    this.#root = document.contents;
    this.tree = this.#convert(this.#root);
  }

  /** Where the key or the value at a document path stands; for a path that is not there, its nearest parent. */
  rangeAt(path: readonly (string | number)[], at: "key" | "value"): TextRange {
    let node: Node | null = this.#root;
    let key: Node | null = node;
    for (const part of path) {
      const holder: Node | null = node !== null && isAlias(node) ? (this.#targets.get(node) ?? null) : node;
      if (typeof part === "number" && isSeq(holder)) {
        node = nodeOrNull(holder.items[part]);
        key = node;
      } else if (typeof part === "string" && isMap(holder)) {
        const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === part);
        if (pair === undefined) break;
        key = nodeOrNull(pair.key);
        node = nodeOrNull(pair.value);
      } else break;
    }
    return rangeOf((at === "key" ? key : node) ?? key);
  }

  #convert(node: Node | null): PolicyTree {
    this.#size++;
    if (node === null) return this.#leaf(null);
    if (isAlias(node)) return this.#alias(node);
    if (isScalar(node)) {
      const value = this.#leaf(node.tag === undefined ? scalarValue(node) : UNREADABLE);
      if (node.anchor !== undefined)
        this.#anchors.set(node.anchor, { node, tree: value, size: 1, height: 0 });
      return value;
    }
    if (!isMap(node) && !isSeq(node)) return this.#leaf(UNREADABLE);
    if (this.#path.length >= MAX_DOCUMENT_DEPTH) return this.#tooDeep(node);
    const { anchor } = node;
    if (anchor === undefined) return this.#collection(node);
    const before = this.#size + this.#aliased;
    this.#open.add(anchor);
    const tree = this.#collection(node);
    this.#open.delete(anchor);
    const size = this.#size + this.#aliased - before + 1;
    this.#anchors.set(anchor, { node, tree, size, height: this.#height });
    return tree;
  }

  #collection(node: YAMLMap | YAMLSeq): PolicyTree {
    const tree = isMap(node) ? this.#mapping(node) : this.#list(node);
    return node.tag === undefined ? tree : UNREADABLE;
  }

  #list(node: YAMLSeq): PolicyTree {
    const list: PolicyTree[] = [];
    let height = 0;
    for (const [index, item] of node.items.entries()) {
      this.#path.push(index);
      list.push(this.#convert(nodeOrNull(item)));
      this.#path.pop();
      height = Math.max(height, this.#height);
    }
    this.#height = height + 1;
    return list;
  }

  #mapping(node: YAMLMap): PolicyTree {
    const map = new Map<string, PolicyTree>();
    let height = 0;
    for (const pair of node.items) {
      const key = nodeOrNull(pair.key);
      const name = this.#key(key, node);
      if (name === undefined) continue;
      this.#path.push(name);
      const value = this.#convert(nodeOrNull(pair.value));
      height = Math.max(height, this.#height);
      if (map.has(name)) {
        const message = `the key ${quoted(name)} is there twice in one mapping: keep one of them`;
        this.#report("duplicate_key", message, this.#path, rangeOf(key ?? node), { at: "key" });
      } else map.set(name, value);
      this.#path.pop();
    }
    this.#height = height + 1;
    return map;
  }

  /** The name that a key is; what is no plain string key is a fault and left out. */
  #key(key: Node | null, map: YAMLMap): string | undefined {
    const range = rangeOf(key ?? map);
    if (!isScalar(key) || typeof key.value !== "string") {
      const suggestion = isScalar(key) && key.source ? JSON.stringify(key.source) : undefined;
      const mend = suggestion === undefined ? "write a name" : "put it in quotes";
      const message = `a key must be a string, not ${describeKey(key)}: ${mend}`;
      this.#report("non_string_key", message, this.#path, range, { at: "key", suggestion });
      return undefined;
    }
    if (key.anchor !== undefined) {
      this.#anchors.set(key.anchor, { node: key, tree: key.value, size: 1, height: 0 });
    }
    if (key.value === "<<" && key.type === "PLAIN") {
      const message = "`<<` merges nothing in YAML 1.2, it is not a known key: write the keys out";
      this.#report("unknown_key", message, [...this.#path, key.value], range, { at: "key" });
      return undefined;
    }
    return key.value;
  }

  #alias(node: Alias): PolicyTree {
    const { source } = node;
    // The library reports an alias without a name itself.
    if (source === "") return this.#leaf(UNREADABLE);
    const anchored = this.#anchors.get(source);
    if (this.#open.has(source)) {
      const message = `the alias ${quoted(`*${source}`)} stands inside what it stands for: write it out`;
      return this.#refuse("alias_cycle", message, node);
    }
    if (anchored === undefined) {
      const message = `the alias ${quoted(`*${source}`)} has no anchor before it: define it, or put the text in quotes if a pattern was meant`;
      return this.#refuse("unresolved_alias", message, node, JSON.stringify(`*${source}`));
    }
    this.#targets.set(node, anchored.node);
    if (this.#path.length + anchored.height > MAX_DOCUMENT_DEPTH) return this.#tooDeep(node);
    const within = this.#aliased <= MAX_ALIASED_VALUES;
    this.#aliased += anchored.size;
    if (this.#aliased > MAX_ALIASED_VALUES) {
      if (!within) return this.#leaf(UNREADABLE); // said once
      const message = `the aliases of the policy stand for more than ${MAX_ALIASED_VALUES} values: use fewer`;
      return this.#refuse("alias_bomb", message, node);
    }
    this.#height = anchored.height;
    return anchored.tree;
  }

  #tooDeep(node: Node): PolicyTree {
    const message = `the policy is nested deeper than ${MAX_DOCUMENT_DEPTH} levels here: flatten it`;
    return this.#refuse("too_deep", message, node);
  }

  #refuse(code: string, message: string, node: Node, suggestion?: string): PolicyTree {
    this.#report(code, message, this.#path, rangeOf(node), { suggestion });
    return this.#leaf(UNREADABLE);
  }

  #leaf(value: PolicyTree): PolicyTree {
    this.#height = 0;
    return value;
  }
}

/** Integers that a double holds for sure become numbers; larger ones stay what they are and are judged where they stand. */
function scalarValue(node: Scalar): PolicyTree {
  const { value } = node;
  switch (typeof value) {
    case "bigint": {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    case "number":
      return value === 0 ? 0 : value; // -0.0 means 0
    case "string":
    case "boolean":
      return value;
    default:
      return value === null ? null : UNREADABLE;
  }
}

function describeKey(key: Node | null): string {
  if (isAlias(key)) return "an alias";
  if (isMap(key)) return "a mapping";
  if (isSeq(key)) return "a list";
  return isScalar(key) && key.source ? quoted(key.source) : "nothing";
}

/** Parsed documents hold nodes only, though their types also allow what programs may put in. */
function nodeOrNull(value: unknown): Node | null {
  return isNode(value) ? value : null;
}

function rangeOf(node: Node | null): TextRange {
  const range = node?.range;
  return range === null || range === undefined ? { start: 0, end: 0 } : { start: range[0], end: range[1] };
}
