import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @typedef {object} Package
 * @property {string} name As on the registry.
 * @property {string} folder Absolute.
 * @property {{ subpath: string, types: string }[]} entryPoints `.` and the others; `types` relative to the folder.
 */

/**
 * The packages that are published, each with its entry points as its manifest lists them.
 *
 * @returns {Package[]}
 */
export function publishedPackages() {
  const home = join(root, "packages");
  return readdirSync(home)
    .map((entry) => join(home, entry))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({
      name: manifest.name,
      folder,
      entryPoints: Object.entries(manifest.exports)
        .filter(([, target]) => typeof target === "object")
        .map(([subpath, target]) => ({ subpath, types: target.types })),
    }));
}
