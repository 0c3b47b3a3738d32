import { ConfigurationError } from "d2-core/call";

const KNOWN = [
  "policyFile",
  "policy",
  "token",
  "apiUrl",
  "jwksUrl",
  "pinJwksThumbprints",
  "instance",
  "logger",
  "limits",
  "strict",
  "clock",
  "decisionLog",
  "tenant",
  "telemetry",
] as const;

/** What else people call an option; letters only, lower case. */
const OTHER_WORDS: ReadonlyMap<string, (typeof KNOWN)[number]> = new Map([
  ["file", "policyFile"],
  ["path", "policyFile"],
  ["policypath", "policyFile"],
  ["config", "policy"],
  ["document", "policy"],
  ["policytext", "policy"],
  ["policyobject", "policy"],
  ["apikey", "token"],
  ["url", "apiUrl"],
  ["baseurl", "apiUrl"],
  ["jwks", "jwksUrl"],
  ["pins", "pinJwksThumbprints"],
  ["pinnedthumbprints", "pinJwksThumbprints"],
  ["name", "instance"],
  ["instancename", "instance"],
  ["log", "logger"],
  ["limit", "limits"],
  ["maxtools", "limits"],
  ["maxbundlebytes", "limits"],
  ["strictsync", "strict"],
  ["now", "clock"],
  ["auditlog", "decisionLog"],
  ["audit", "decisionLog"],
  ["tenantid", "tenant"],
  ["metrics", "telemetry"],
  ["usage", "telemetry"],
  ["hashuserids", "telemetry"],
]);

/** @throws ConfigurationError for an option that is not known */
export function checkOptionNames(options: object): void {
  for (const name of Object.keys(options)) {
    const known: readonly string[] = KNOWN;
    if (known.includes(name)) continue;
    const meant = suggestion(name);
    const help = meant === undefined ? "" : `did you mean \`${meant}\`? `;
    throw new ConfigurationError(
      `unknown option \`${name}\`: ${help}known are ${KNOWN.map((it) => `\`${it}\``).join(", ")}`,
    );
  }
}

function suggestion(name: string): string | undefined {
  const letters = name.toLowerCase().replace(/[^a-z]/g, "");
  return OTHER_WORDS.get(letters) ?? KNOWN.find((known) => known.toLowerCase() === letters);
}
