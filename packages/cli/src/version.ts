import { createRequire } from "node:module";

/** The version of this package. */
export function ownVersion(): string {
  const { version } = createRequire(import.meta.url)("d2-cli/package.json");
  return version;
}
