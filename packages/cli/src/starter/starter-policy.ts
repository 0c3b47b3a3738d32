import type { FoundCode } from "d2-policy/diagnose";
import { starterContent } from "./starter-content.js";
import { starterJson } from "./starter-json.js";
import { starterYaml } from "./starter-yaml.js";

export interface StarterOptions {
  readonly format: "yaml" | "json";
  /** What the policy is called in records: `metadata.name`. */
  readonly name: string;
  /** Where an editor finds the JSON Schema: a URL, or a path relative to the policy. Said in YAML only. */
  readonly schema: string;
}

/**
 * A first policy for a program: the tools that were found, grouped by what their names say they do, and the roles
 * `admin` (everything), `developer` (what does not look destructive) and `viewer` (what looks as if it only reads).
 * It loads without faults and warnings; what is left to decide stands in it as comments, and in JSON, which has none,
 * in its description.
 */
export function starterPolicy(found: FoundCode, options: StarterOptions): string {
  const content = starterContent(found);
  return options.format === "json"
    ? starterJson(content, options.name)
    : starterYaml(content, options.name, options.schema);
}
