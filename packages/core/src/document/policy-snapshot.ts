import { isProxy } from "#platform";
import { jsonSize } from "../values/bytes.js";
import { isMapping } from "../values/kind.js";
import type { FaultList } from "./fault-list.js";
import { MAX_DOCUMENT_DEPTH, type PolicyTree, UNREADABLE } from "./policy-tree.js";

/** A snapshot of a policy given as an object. */
export interface PolicySnapshot {
  readonly tree: PolicyTree;
  /** UTF-8 bytes of its compact JSON; above `limit` it only says "more than `limit`". */
  readonly bytes: number;
}

/**
 * Copies a policy that was given as an object. Every property is read once and none of the object's own code is run;
 * what is not plain data is a fault and comes back as `UNREADABLE`. Copying stops soon after `limit` bytes, so that
 * a small object that holds the same list over and over costs no more than a large one.
 */
export function snapshotPolicy(value: unknown, faults: FaultList, limit: number): PolicySnapshot {
  const copying = new Copying(faults, limit);
  const tree = copying.copy(value);
  return { tree, bytes: copying.bytes };
}

class Copying {
  bytes = 0;
  readonly #faults: FaultList;
  readonly #limit: number;
  readonly #open = new Set<object>();
  readonly #path: (string | number)[] = [];

  constructor(faults: FaultList, limit: number) {
    this.#faults = faults;
    this.#limit = limit;
  }

  copy(value: unknown): PolicyTree {
    switch (typeof value) {
      case "string":
        this.bytes += jsonSize(value, this.#limit) ?? 0;
        return value;
      case "number":
        this.bytes += String(value).length;
        return value === 0 ? 0 : value; // JSON text has no -0 either
      case "bigint":
        this.bytes += value.toString(16).length;
        return value;
      case "boolean":
        this.bytes += value ? 4 : 5;
        return value;
      case "undefined":
        return this.#refuse("`undefined` says nothing: leave the key out");
      case "function":
      case "symbol":
        return this.#refuse(`a ${typeof value} is not data: write a plain value`);
      case "object":
        if (value === null) {
          this.bytes += 4;
          return null;
        }
        return this.#copyObject(value);
    }
  }

  #copyObject(value: object): PolicyTree {
    if (isProxy(value)) return this.#refuse("a proxy may answer differently each time: pass plain data");
    if (this.#open.has(value)) return this.#refuse("the policy holds itself here: write it without cycles");
    if (this.#path.length >= MAX_DOCUMENT_DEPTH) {
      return this.#refuse(
        `the policy is nested deeper than ${MAX_DOCUMENT_DEPTH} levels here: flatten it`,
        "too_deep",
      );
    }
    this.#open.add(value);
    try {
      if (Array.isArray(value)) return this.#copyList(value);
      if (isMapping(value)) return this.#copyMapping(value);
      return this.#refuse("this is no plain data: write mappings as object literals and lists as arrays");
    } catch {
      // Only code that belongs to the object itself can throw here; whatever it is, it cannot be read.
      return this.#refuse("this cannot be read: pass plain data");
    } finally {
      this.#open.delete(value);
    }
  }

  #copyList(list: readonly unknown[]): PolicyTree {
    const copied: PolicyTree[] = [];
    this.bytes += 2 + Math.max(0, list.length - 1);
    for (let index = 0; index < list.length && this.bytes <= this.#limit; index++) {
      const property = Object.getOwnPropertyDescriptor(list, index);
      this.#path.push(index);
      copied.push(
        property === undefined
          ? this.#refuse("the list has a hole here: write every item")
          : this.#copyProperty(property),
      );
      this.#path.pop();
      if (property === undefined) break; // a list may be nothing but millions of holes
    }
    return copied;
  }

  #copyMapping(mapping: object): PolicyTree {
    const copied = new Map<string, PolicyTree>();
    this.bytes += 2;
    for (const key of Object.keys(mapping)) {
      if (this.bytes > this.#limit) break;
      const property = Object.getOwnPropertyDescriptor(mapping, key);
      if (property === undefined) continue;
      this.bytes += (copied.size === 0 ? 1 : 2) + (jsonSize(key, this.#limit) ?? 0);
      this.#path.push(key);
      copied.set(key, this.#copyProperty(property));
      this.#path.pop();
    }
    return copied;
  }

  #copyProperty(property: PropertyDescriptor): PolicyTree {
    if (property.get !== undefined || property.set !== undefined) {
      return this.#refuse("an accessor may answer differently each time: write the value itself");
    }
    return this.copy(property.value);
  }

  #refuse(message: string, code = "not_plain_data"): typeof UNREADABLE {
    this.#faults.error(code, message, this.#path);
    return UNREADABLE;
  }
}
