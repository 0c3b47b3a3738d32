import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Node's cryptography. It takes longer to load than all of the guard, so it is loaded when first needed. */
export function nodeCrypto(): typeof import("node:crypto") {
  return require("node:crypto");
}
