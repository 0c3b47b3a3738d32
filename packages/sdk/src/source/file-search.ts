import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigurationError } from "d2-core/call";
import { nodeFiles } from "../setup/node-files.js";
import { systemCode } from "./file-fault.js";
import { shownPath } from "./shown-path.js";

const NAMES = ["policy.yaml", "policy.yml", "policy.json"] as const;

/** Where to look for the policy file. */
export interface SearchPlaces {
  /** The option `policyFile`, which ends the search. */
  readonly policyFile: string | URL | undefined;
  /** `D2_POLICY_FILE`. */
  readonly named: string | undefined;
  /** The user's folder for configuration; undefined: the user has none. */
  readonly configHome: string | undefined;
  /** The current folder, absolute. */
  readonly folder: string;
  /** What else can be done where there is none, for messages. Default: name it to `configureRbac`. */
  readonly otherwise?: string | undefined;
}

/** What the search found. Paths are absolute. */
export interface FoundPolicy {
  readonly path: string;
  /** Files in later places, which this one hides. */
  readonly hidden: readonly string[];
}

/**
 * Finds the policy file: `policyFile`, else `D2_POLICY_FILE`, `d2/policy.{yaml,yml,json}` in the user's configuration,
 * `policy.{yaml,yml,json}` in the current folder. The first place that has one wins.
 *
 * @throws ConfigurationError when there is none, when the one that was named does not exist, when the place that wins
 * has several, or when a place cannot be looked into
 */
export function findPolicyFile(places: SearchPlaces): FoundPolicy {
  const { folder } = places;
  if (places.policyFile !== undefined) {
    const path = absolutePath(places.policyFile, folder);
    if (!isThere(path)) throw missing("policyFile", path, places);
    return { path, hidden: [] };
  }
  const found = foldersOf(places).map((place) => NAMES.map((name) => join(place, name)).filter(isThere));
  if (places.named !== undefined) {
    const path = resolve(folder, places.named);
    if (!isThere(path)) throw missing("D2_POLICY_FILE", path, places);
    return { path, hidden: found.flat().filter((other) => other !== path) };
  }
  const at = found.findIndex((paths) => paths.length > 0);
  const [path, ...rivals] = found[at] ?? [];
  if (path === undefined) {
    throw new ConfigurationError(
      ["there is no policy file; looked at", ...listOf(places), advice("write one with", places)].join("\n"),
    );
  }
  if (rivals.length > 0) {
    const all = [path, ...rivals].map((it) => `\`${shownPath(it, folder)}\``);
    throw new ConfigurationError(
      [
        `${all.join(" and ")} are both there, and only one policy can be meant: delete or rename one, or name one`,
        "in `D2_POLICY_FILE`; the places are",
        ...listOf(places),
        advice("a new one is written by", places),
      ].join("\n"),
    );
  }
  return { path, hidden: found.slice(at + 1).flat() };
}

function foldersOf({ configHome, folder }: SearchPlaces): readonly string[] {
  return configHome === undefined ? [folder] : [join(configHome, "d2"), folder];
}

function absolutePath(file: string | URL, folder: string): string {
  if (typeof file === "string" && !file.startsWith("file:")) return resolve(folder, file);
  try {
    return fileURLToPath(file);
  } catch (cause) {
    throw new ConfigurationError("`policyFile` must be a path or a `file:` URL", [], { cause });
  }
}

/** Whether there is something of that name, were it a folder or a link that leads nowhere. */
function isThere(path: string): boolean {
  try {
    nodeFiles().lstatSync(path);
    return true;
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    // Going on to the next place might put another policy in force than the one that is meant.
    throw new ConfigurationError(
      `cannot look for a policy at \`${path}\` (${code}): make it readable, or name a file in \`D2_POLICY_FILE\``,
      [],
      { cause },
    );
  }
}

function missing(name: string, path: string, places: SearchPlaces): ConfigurationError {
  return new ConfigurationError(
    [
      `\`${name}\` names \`${shownPath(path, places.folder)}\`, which does not exist; without it these are looked at`,
      ...listOf(places).slice(1),
      advice("write one with", places),
    ].join("\n"),
  );
}

function listOf(places: SearchPlaces): readonly string[] {
  const named = places.named === undefined ? "not set" : `\`${places.named}\``;
  const folders = foldersOf(places).map((place) => `  ${join(place, "policy.{yaml,yml,json}")}`);
  return [`  D2_POLICY_FILE (${named})`, ...folders];
}

function advice(words: string, { otherwise }: SearchPlaces): string {
  return `${words} \`d2 init\`, or ${otherwise ?? "give `configureRbac` a `policyFile` or a `policy`"}`;
}
