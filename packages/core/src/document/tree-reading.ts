import type { DocumentPath } from "./document.js";
import type { FaultList } from "./fault-list.js";
import { quoted } from "./name-characters.js";
import {
  describeNode,
  findIllFormedText,
  isTreeList,
  isTreeMap,
  type PolicyTree,
  type PolicyTreeMap,
  UNREADABLE,
} from "./policy-tree.js";
import { suggestWord } from "./spelling.js";

/** A string of the document and where it stands. */
export interface PlacedText {
  readonly text: string;
  readonly path: DocumentPath;
}

/** Takes nodes of a policy for what they must be; whatever is not becomes a fault and `undefined`. */
export class TreeReading {
  readonly faults: FaultList;

  constructor(faults: FaultList) {
    this.faults = faults;
  }

  /** @param what What stands there, for the message: `` `metadata` ``, `a permission`. */
  mapping(node: PolicyTree, path: DocumentPath, what: string): PolicyTreeMap | undefined {
    return isTreeMap(node) ? node : this.#wrong(node, path, what, "a mapping");
  }

  list(node: PolicyTree, path: DocumentPath, what: string): readonly PolicyTree[] | undefined {
    return isTreeList(node) ? node : this.#wrong(node, path, what, "a list");
  }

  text(node: PolicyTree, path: DocumentPath, what: string): string | undefined {
    if (typeof node !== "string") return this.#wrong(node, path, what, "a string");
    return this.wellFormed(node, path) ? node : undefined;
  }

  boolean(node: PolicyTree, path: DocumentPath, what: string): boolean | undefined {
    return typeof node === "boolean" ? node : this.#wrong(node, path, what, "`true` or `false`");
  }

  /** A list of strings; a lone string is a list of one. What is no string is a fault and left out. */
  texts(node: PolicyTree, path: DocumentPath, what: string): readonly PlacedText[] | undefined {
    if (typeof node === "string") {
      const text = this.text(node, path, what);
      return text === undefined ? [] : [{ text, path }];
    }
    if (!isTreeList(node)) return this.#wrong(node, path, what, "a string or a list of strings");
    const found: PlacedText[] = [];
    for (const [index, item] of node.entries()) {
      const place = [...path, index];
      const text = this.text(item, place, `an item of ${what}`);
      if (text !== undefined) found.push({ text, path: place });
    }
    return found;
  }

  /** Whether a node holds only well-formed Unicode. */
  wellFormed(node: PolicyTree, path: DocumentPath): boolean {
    const found = findIllFormedText(node);
    if (found === undefined) return true;
    this.faults.error(
      "ill_formed_text",
      `the text holds ${found}, half of a surrogate pair: write whole characters`,
      path,
    );
    return false;
  }

  /**
   * Faults every key that is not known.
   *
   * @returns The known keys that misspelt ones stand for, so that these are not also reported as missing.
   */
  knownKeys(
    map: PolicyTreeMap,
    path: DocumentPath,
    where: string,
    known: readonly string[],
    aliases?: ReadonlyMap<string, string>,
  ): ReadonlySet<string> {
    const meant = new Set<string>();
    for (const key of map.keys()) {
      if (known.includes(key)) continue;
      const suggestion = this.faults.isFull ? undefined : suggestWord(key, known, aliases);
      if (suggestion !== undefined) meant.add(suggestion);
      const hint =
        suggestion === undefined ? `use one of ${listWords(known)}` : `did you mean \`${suggestion}\`?`;
      this.faults.error("unknown_key", `${quoted(key)} is not a key of ${where}: ${hint}`, [...path, key], {
        at: "key",
        suggestion,
      });
    }
    return meant;
  }

  /** One of a few words, such as a mode or an action. */
  word<Word extends string>(
    node: PolicyTree,
    path: DocumentPath,
    code: string,
    what: string,
    known: readonly Word[],
    aliases?: ReadonlyMap<string, Word>,
  ): Word | undefined {
    if (typeof node !== "string") return this.#wrong(node, path, `the ${what}`, `one of ${listWords(known)}`);
    const found = known.find((word) => word === node);
    if (found !== undefined) return found;
    const suggestion = suggestWord(node, known, aliases);
    const hint =
      suggestion === undefined ? `use one of ${listWords(known)}` : `did you mean \`${suggestion}\`?`;
    this.faults.error(code, `${quoted(node)} is not a known ${what}: ${hint}`, path, { suggestion });
    return undefined;
  }

  #wrong(node: PolicyTree, path: DocumentPath, what: string, wanted: string): undefined {
    if (node === UNREADABLE) return undefined;
    const scalar = typeof node === "number" || typeof node === "bigint" || typeof node === "boolean";
    const suggestion = scalar && wanted.includes("string") ? JSON.stringify(String(node)) : undefined;
    const mend = mendFor(node, wanted, suggestion);
    this.faults.error("wrong_type", `${what} must be ${wanted}, not ${describeNode(node)}: ${mend}`, path, {
      suggestion,
    });
    return undefined;
  }
}

function mendFor(node: PolicyTree, wanted: string, suggestion: string | undefined): string {
  if (suggestion !== undefined) return "put it in quotes";
  return node === null ? `write ${wanted} or leave the key out` : `write ${wanted}`;
}

/** `` `a`, `b` or `c` ``. */
export function listWords(words: readonly string[]): string {
  const shown = words.map((word) => `\`${word}\``);
  if (shown.length < 2) return shown.join("");
  return `${shown.slice(0, -1).join(", ")} or ${shown[shown.length - 1]}`;
}
