import { frozenCopy } from "../contract/frozen-copy.js";
import { isText } from "../contract/policy-decision.js";
import { D2Error } from "../errors.js";
import { isInteger } from "../gates/input-gates.js";
import { isList, isMapping, type PlainMapping } from "../values/kind.js";

/** A starter pack's configuration that cannot be used. */
export class InvalidComposeConfigError extends D2Error {
  constructor(path: string, must: string) {
    super("invalid_compose_config", `\`${path}\` ${must}`);
  }
}

type ListsByName = { readonly [name: string]: readonly string[] };

/** What the starter pack allows. What is left out is empty: no capability, no model, no cap, no way round. */
export interface ComposeConfig {
  readonly capabilities?: {
    /** Capabilities of every workspace without a list of its own. */
    readonly default?: readonly string[];
    /** Lists that take the default's place; an empty one denies everything. What is no list is passed over. */
    readonly per_workspace?: ListsByName;
  };
  readonly models?: {
    /** Models of each capability. */
    readonly per_capability?: ListsByName;
    /** Providers of each capability; one without a list may use any. */
    readonly providers_per_capability?: ListsByName;
  };
  /** Highest values that are allowed; integers from 0 on. */
  readonly caps?: {
    readonly max_output_tokens?: number | bigint;
    readonly max_input_bytes?: number | bigint;
    readonly max_input_chars?: number | bigint;
  };
  /** Who may go on where `risk_tier` is `high`. */
  readonly risk?: {
    /** A tag among `request_tags` that lets a request pass. */
    readonly override_tag?: string;
    readonly privileged_principals?: readonly string[];
  };
}

/** A configuration after checking: lists by name as entries, so that every name is a name like any other. */
export interface CheckedConfig {
  readonly capabilities: readonly string[];
  readonly workspaces: ReadonlyMap<string, readonly string[]>;
  readonly models: ReadonlyMap<string, readonly string[]>;
  readonly providers: ReadonlyMap<string, readonly string[]>;
  readonly caps: ReadonlyMap<string, number | bigint>;
  readonly overrideTag: string | undefined;
  readonly privileged: readonly string[];
}

/**
 * Reads a configuration, once, from a copy.
 *
 * @throws {InvalidComposeConfigError} for an unknown key, and for a value of the wrong kind
 */
export function checkConfig(config: ComposeConfig): CheckedConfig {
  const top = section(copyOf(config), "config", ["capabilities", "models", "caps", "risk"]);
  const capabilities = section(top["capabilities"], "config.capabilities", ["default", "per_workspace"]);
  const models = section(top["models"], "config.models", ["per_capability", "providers_per_capability"]);
  const caps = section(top["caps"], "config.caps", CAPS);
  const risk = section(top["risk"], "config.risk", ["override_tag", "privileged_principals"]);
  const tag = risk["override_tag"];
  if (tag !== undefined && tag !== null && !isText(tag)) {
    throw new InvalidComposeConfigError("config.risk.override_tag", "must be a string");
  }
  return {
    capabilities: textList(capabilities["default"], "config.capabilities.default"),
    workspaces: listsByName(capabilities["per_workspace"], "config.capabilities.per_workspace"),
    models: listsByName(models["per_capability"], "config.models.per_capability"),
    providers: listsByName(models["providers_per_capability"], "config.models.providers_per_capability"),
    caps: new Map(CAPS.flatMap((key) => capEntry(key, caps[key]))),
    overrideTag: isText(tag) ? tag : undefined,
    privileged: textList(risk["privileged_principals"], "config.risk.privileged_principals"),
  };
}

const CAPS: readonly string[] = ["max_output_tokens", "max_input_bytes", "max_input_chars"];

function copyOf(config: unknown): unknown {
  try {
    return frozenCopy(config);
  } catch {
    throw new InvalidComposeConfigError("config", "must be plain data without fractions");
  }
}

function section(value: unknown, path: string, keys: readonly string[]): PlainMapping {
  if (value === undefined || value === null) return {};
  if (!isMapping(value)) throw new InvalidComposeConfigError(path, "must be a mapping");
  if (Object.keys(value).some((key) => !keys.includes(key))) {
    throw new InvalidComposeConfigError(path, `has a key that is not one of ${keys.join(", ")}`);
  }
  return value;
}

function textList(value: unknown, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!isList(value) || !value.every(isText)) {
    throw new InvalidComposeConfigError(path, "must be a list of strings");
  }
  return value;
}

function listsByName(value: unknown, path: string): ReadonlyMap<string, readonly string[]> {
  if (value === undefined || value === null) return new Map();
  if (!isMapping(value)) throw new InvalidComposeConfigError(path, "must be a mapping of lists");
  const lists = new Map<string, readonly string[]>();
  for (const [name, list] of Object.entries(value)) {
    if (isList(list)) lists.set(name, textList(list, `${path}`));
  }
  return lists;
}

function capEntry(key: string, cap: unknown): [string, number | bigint][] {
  if (cap === undefined || cap === null) return [];
  if (!isInteger(cap) || cap < 0) {
    throw new InvalidComposeConfigError(`config.caps.${key}`, "must be an integer, 0 or more");
  }
  return [[key, cap]];
}
