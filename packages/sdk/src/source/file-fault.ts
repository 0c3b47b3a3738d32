import { ConfigurationError } from "d2-core/call";

/** The code of a failed system call (`ENOENT`, ...), or `unknown`. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}

/** Why a policy file could not be read, and what to do. */
export function fileFault(shown: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(wording(shown, systemCode(cause)), [], { cause });
}

function wording(shown: string, code: string): string {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `the policy file \`${shown}\` does not exist: put it back, or write one with \`d2 init\``;
    case "EACCES":
    case "EPERM":
      return `the policy file \`${shown}\` may not be read by this user (${code}): change its owner or mode`;
    case "ELOOP":
      return `the policy file \`${shown}\` is a link that leads back to itself: make it lead to a file`;
  }
  return `the policy file \`${shown}\` cannot be read (${code})`;
}
