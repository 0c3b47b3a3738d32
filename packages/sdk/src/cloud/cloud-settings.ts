import { join, resolve } from "node:path";
import { ConfigurationError } from "d2-core/call";
import { configHome, type Environment, isSwitchedOn, readText } from "../setup/environment.js";
import { nodeCrypto } from "../setup/node-crypto.js";

/** The options of `configureRbac` that concern the control plane. */
export interface CloudOptions {
  /** Runtime token of the app; with it the policy comes from the control plane. Default: `D2_TOKEN`. */
  readonly token?: string | undefined;
  /** Base URL of the control plane. Default: `D2_API_URL`, then `https://d2.artoo.love`. */
  readonly apiUrl?: string | URL | undefined;
  /** URL of its key list. Default: `D2_JWKS_URL`, then `/.well-known/jwks.json` below the base URL. */
  readonly jwksUrl?: string | URL | undefined;
  /**
   * The keys that may sign: of each the SHA-256 over its SubjectPublicKeyInfo (DER), base64url without padding, 43
   * characters. Default: any key of the key list.
   */
  readonly pinJwksThumbprints?: readonly string[] | undefined;
}

/** The same, checked. */
export interface CloudSettings {
  readonly token: string;
  /** Without a slash at the end. */
  readonly apiUrl: string;
  readonly jwksUrl: string;
  /** Whether the key list is at the control plane itself, so that it may see the token. */
  readonly jwksSeesToken: boolean;
  readonly pins: readonly string[] | undefined;
  /** Absolute; undefined: nothing is kept on disk. */
  readonly statePath: string | undefined;
}

const DEFAULT_API_URL = "https://d2.artoo.love";

const CLOUD_ONLY = ["apiUrl", "jwksUrl", "pinJwksThumbprints"] as const;

/**
 * What options and environment say of the control plane; undefined: the policy is in a file.
 *
 * @throws ConfigurationError when it cannot be used
 */
export function readCloudSettings(
  options: CloudOptions,
  environment: Environment,
): CloudSettings | undefined {
  const token = options.token ?? readText(environment, "D2_TOKEN");
  if (token === undefined) {
    const idle = CLOUD_ONLY.find((name) => options[name] !== undefined);
    if (idle === undefined) return undefined;
    throw new ConfigurationError(`\`${idle}\` says something of a control plane: give a \`token\` too`);
  }
  if (typeof token !== "string" || !/^[\x21-\x7e]{1,4096}$/.test(token)) {
    const name = options.token === undefined ? "D2_TOKEN" : "token";
    throw new ConfigurationError(`\`${name}\` is no token: give it as the control plane has shown it`);
  }
  const plain = isSwitchedOn(environment, "D2_ALLOW_HTTP");
  const api =
    options.apiUrl === undefined
      ? readUrl("D2_API_URL", readText(environment, "D2_API_URL") ?? DEFAULT_API_URL, plain)
      : readUrl("apiUrl", options.apiUrl, plain);
  const apiUrl = api.href.replace(/\/+$/, "");
  const beside = readText(environment, "D2_JWKS_URL") ?? `${apiUrl}/.well-known/jwks.json`;
  const jwks =
    options.jwksUrl === undefined
      ? readUrl("D2_JWKS_URL", beside, plain)
      : readUrl("jwksUrl", options.jwksUrl, plain);
  return {
    token,
    apiUrl,
    jwksUrl: jwks.href,
    jwksSeesToken: jwks.origin === api.origin,
    pins: readPins(options.pinJwksThumbprints),
    statePath: readStatePath(environment),
  };
}

function readUrl(name: string, given: unknown, plain: boolean): URL {
  let url: URL;
  try {
    url = new URL(typeof given === "string" || given instanceof URL ? given : "");
  } catch {
    throw new ConfigurationError(`\`${name}\` must be an absolute URL, like \`${DEFAULT_API_URL}\``);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ConfigurationError(`\`${name}\` must be a URL without user, password, query and fragment`);
  }
  if (url.protocol === "https:") return url;
  if (url.protocol === "http:" && (plain || isLoopback(url.hostname))) return url;
  throw new ConfigurationError(
    `\`${name}\` must be an https URL, for a token goes there; http is for this machine itself, or with \`D2_ALLOW_HTTP\` on`,
  );
}

const isLoopback = (host: string) =>
  host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

function readPins(pins: unknown): readonly string[] | undefined {
  if (pins === undefined) return undefined;
  const fits = (pin: unknown): pin is string => typeof pin === "string" && /^[A-Za-z0-9_-]{43}$/.test(pin);
  if (Array.isArray(pins) && pins.length > 0 && pins.every(fits)) return [...pins];
  throw new ConfigurationError(
    "`pinJwksThumbprints` must list at least one thumbprint: base64url, 43 characters, without padding",
  );
}

function readStatePath(environment: Environment): string | undefined {
  const named = readText(environment, "D2_STATE_PATH");
  if (named === ":memory:") return undefined;
  if (named !== undefined) return resolve(named);
  const home = configHome(environment);
  return home === undefined ? undefined : join(home, "d2", "bundles.json");
}

/** What the state of one token at one control plane is kept under; tells neither. */
export function stateKey({ token, apiUrl }: CloudSettings): string {
  return nodeCrypto().createHash("sha256").update(`${token}\n${apiUrl}`).digest("hex").slice(0, 32);
}
