import type { Act } from "./act.js";

/** An act on a longer path, of which the keys so far have used up the first `offset` characters. */
interface Pending {
  readonly act: Act;
  readonly offset: number;
}

/** What the keys of a mapping mean at a site, key by key, in the order in which the mapping has them. */
export interface Shape {
  readonly keys: readonly string[];
  /** The acts on the value of each key, in order. */
  readonly acts: readonly (readonly Act[] | undefined)[];
  /** The site that each value is, for what is inside it. */
  readonly inner: readonly Site[];
  /** Whether plain assignment would do something else than make an own entry for some key, such as `__proto__`. */
  readonly unassignable: boolean;
}

// Rows of one table have one shape, and nested tables some more; what goes beyond is looked up again and again.
const MOST_SHAPES = 8;
const MOST_KEYS = 64;

/**
 * What the rules with an action say about the values at one place of what a tool returned: which acts a key there
 * meets, and which paths go on below. A list is at the site of its items. Only acts `from` up to, not including, `to`
 * are seen.
 *
 * INVARIANT: what a site remembers makes it quicker, and never changes an answer.
 */
export class Site {
  readonly from: number;
  readonly to: number;
  /** Acts whose one-name path reaches a key at every depth, by that key. */
  readonly #anywhere: ReadonlyMap<string, readonly Act[]>;
  readonly #pending: readonly Pending[];
  /** The site of everything that no longer path leads to. */
  readonly #rest: Site;
  readonly #children = new Map<string, Site>();
  readonly #shapes: Shape[] = [];
  #oldest = 0;
  readonly #narrowed = new Map<string, Site>();
  /** Whether no act can meet anything at or below this site. */
  readonly idle: boolean;

  private constructor(
    anywhere: ReadonlyMap<string, readonly Act[]>,
    pending: readonly Pending[],
    rest: Site | undefined,
    from: number,
    to: number,
  ) {
    this.from = from;
    this.to = to;
    this.#anywhere = anywhere;
    this.#pending = pending;
    this.#rest = rest ?? this;
    this.idle = pending.length === 0 && anywhere.size === 0;
  }

  /** The site of the returned value itself, for acts other than those on `$`. */
  static root(acts: readonly Act[]): Site {
    const anywhere = new Map<string, Act[]>();
    const pending: Pending[] = [];
    for (const act of acts) {
      if (act.path === "$") continue;
      if (act.path.includes(".")) {
        pending.push({ act, offset: 0 });
        continue;
      }
      const same = anywhere.get(act.path);
      if (same === undefined) anywhere.set(act.path, [act]);
      else same.push(act);
    }
    const rest = new Site(anywhere, [], undefined, 0, acts.length);
    return pending.length === 0 ? rest : new Site(anywhere, pending, rest, 0, acts.length);
  }

  /** This site as the acts `from` to `to` see it. */
  narrowed(from: number, to: number): Site {
    if (from === this.from && to === this.to) return this;
    const name = `${from}:${to}`;
    const known = this.#narrowed.get(name);
    if (known !== undefined) return known;
    const seen = ({ index }: Act) => index >= from && index < to;
    let site: Site;
    if (this.#rest !== this) {
      const rest = this.#rest.narrowed(from, to);
      const pending = this.#pending.filter(({ act }) => seen(act));
      site = pending.length === 0 ? rest : new Site(rest.#anywhere, pending, rest, from, to);
    } else {
      const anywhere = new Map<string, readonly Act[]>();
      for (const [key, acts] of this.#anywhere) {
        const kept = acts.filter(seen);
        if (kept.length > 0) anywhere.set(key, kept);
      }
      site = new Site(anywhere, [], undefined, from, to);
    }
    this.#narrowed.set(name, site);
    return site;
  }

  /** What these keys mean here. */
  shapeOf(keys: readonly string[]): Shape {
    const shapes = this.#shapes;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index];
      if (shape !== undefined && sameKeys(shape.keys, keys)) return shape;
    }
    const shape = this.#learn(keys);
    if (keys.length <= MOST_KEYS) {
      shapes[this.#oldest] = shape;
      this.#oldest = (this.#oldest + 1) % MOST_SHAPES;
    }
    return shape;
  }

  /** The acts on the value of one key, in order. */
  actsOn(key: string): readonly Act[] | undefined {
    const everywhere = this.#anywhere.get(key);
    if (this.#pending.length === 0) return everywhere;
    const here: Act[] = [];
    for (const { act, offset } of this.#pending) {
      // The rest of the path as a whole: the last name, or a key that is literally named so, dots and all.
      if (act.path.length === offset + key.length && act.path.endsWith(key)) here.push(act);
    }
    if (here.length === 0) return everywhere;
    if (everywhere === undefined) return here;
    return [...everywhere, ...here].sort((one, other) => one.index - other.index);
  }

  /** The site that the value of a key is. */
  inside(key: string): Site {
    if (this.#pending.length === 0) return this.#rest;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const pending: Pending[] = [];
    for (const { act, offset } of this.#pending) {
      if (act.path.startsWith(`${key}.`, offset)) pending.push({ act, offset: offset + key.length + 1 });
    }
    if (pending.length === 0) return this.#rest;
    const child = new Site(this.#anywhere, pending, this.#rest, this.from, this.to);
    this.#children.set(key, child);
    return child;
  }

  #learn(keys: readonly string[]): Shape {
    return {
      keys,
      acts: keys.map((key) => this.actsOn(key)),
      inner: keys.map((key) => this.inside(key)),
      unassignable: keys.some((key) => key in Object.prototype),
    };
  }
}

function sameKeys(known: readonly string[], keys: readonly string[]): boolean {
  if (known.length !== keys.length) return false;
  for (let index = 0; index < keys.length; index++) if (known[index] !== keys[index]) return false;
  return true;
}
