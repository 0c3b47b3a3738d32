import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Manifest, Module } from "./boundaries.js";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export const packageFolders: readonly string[] = readdirSync(join(root, "packages"));

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));
}

/** Every source of a package, declaration files included. */
export function sourcesOf(folder: string): readonly Module[] {
  const home = join(root, "packages", folder, "src");
  const owner = readManifest(folder).name;
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({
      owner,
      path: file.slice(home.length + 1).replaceAll("\\", "/"),
      text: readFileSync(file, "utf8"),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
