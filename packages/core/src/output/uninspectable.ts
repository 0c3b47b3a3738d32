/** What keeps a value from being inspected, in words that fit after "holds". */
export type Obstacle =
  | "an accessor"
  | "a proxy"
  | "a symbol as a key"
  | "a hidden key"
  | "a hole, or a list with keys of its own"
  | "more than 128 levels, or a cycle"
  | "an invalid date"
  | "a map with keys that are not strings"
  | "a function or a symbol"
  | "something that is not plain data";

/** Thrown while looking through a value that cannot be inspected, and caught where a verdict is made of it. */
export class Uninspectable extends Error {
  readonly obstacle: Obstacle;
  constructor(obstacle: Obstacle) {
    super(`the value holds ${obstacle}`);
    this.name = "Uninspectable";
    this.obstacle = obstacle;
  }
}
