import type { HttpReply } from "./http-get.js";

/** What went wrong with a request, as the rest of a sentence about what was asked for. */
export function faultText({ fault, code }: Extract<HttpReply, { kind: "fault" }>): string {
  switch (fault) {
    case "timeout":
      return "did not come in time";
    case "redirect":
      return `was answered with a redirect (${code}), which is refused: give the URL that it leads to`;
    case "too_large":
      return "is too large and was not read to its end";
    case "cut_short":
      return `came only in part${inBrackets(code)}`;
    case "not_text":
      return "is not UTF-8";
    case "unreachable":
      return `cannot be had: the control plane is not reached${inBrackets(code)}`;
  }
}

const inBrackets = (code: string) => (code === "" ? "" : ` (${code})`);
