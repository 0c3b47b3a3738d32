import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * Node's file functions. An `import` of them makes a name for each, which takes a sixth of the time that this package
 * takes to load; so they are asked for where they are used.
 */
export function nodeFiles(): typeof import("node:fs") {
  return require("node:fs");
}
