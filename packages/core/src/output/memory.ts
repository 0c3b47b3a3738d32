import type { Site } from "./site.js";

/** Thrown when objects were visited so often that some must have been visited many times over. */
export class TooManyVisits extends Error {
  constructor() {
    super("too many visits without remembering them");
    this.name = "TooManyVisits";
  }
}

// A few milliseconds of work. Values with more objects than this are looked through a second time from the start.
const MOST_VISITS = 100_000;

/** Counts visits, and asks for a second attempt with `remember` once there were too many. */
export class Visits {
  readonly remember: boolean;
  #left = MOST_VISITS;

  constructor(remember: boolean) {
    this.remember = remember;
  }

  count(): void {
    if (!this.remember && --this.#left < 0) throw new TooManyVisits();
  }
}

interface Visited {
  readonly depth: number;
  readonly result: object;
}

/**
 * Keeps the cost of a value with shared parts in line with its size. Objects that share objects that share objects
 * make trees of any size, but remembering every object costs more than looking at it. So nothing is remembered until
 * visits pass a bound; then all is done again and each object's result is kept for its site.
 */
export class Memory {
  readonly #visits: Visits;
  readonly #known = new Map<object, Map<Site, Visited>>();

  constructor(visits: Visits) {
    this.#visits = visits;
  }

  /** What became of an object at this site. A result from less deep down does not count: it may go too deep from here. */
  visit(value: object, site: Site, depth: number): object | undefined {
    this.#visits.count();
    if (!this.#visits.remember) return undefined;
    const visited = this.#known.get(value)?.get(site);
    return visited !== undefined && visited.depth >= depth ? visited.result : undefined;
  }

  keep(value: object, site: Site, depth: number, result: object): void {
    if (!this.#visits.remember) return;
    let sites = this.#known.get(value);
    if (sites === undefined) {
      sites = new Map();
      this.#known.set(value, sites);
    }
    sites.set(site, { depth, result });
  }
}
