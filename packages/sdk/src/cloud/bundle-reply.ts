import { ConfigurationError, D2Error, D2PlanLimitError, PolicyTooLargeError } from "d2-core/call";
import type { HttpReply } from "./http-get.js";
import { isRecord } from "./jws.js";
import { faultText } from "./reply-fault.js";
import type { RawBundle } from "./verify-bundle.js";

/** What the control plane says when it is asked for the bundle. */
export type BundleReply =
  | { readonly kind: "bundle"; readonly raw: RawBundle; readonly pollSeconds: number }
  | { readonly kind: "unchanged"; readonly pollSeconds: number }
  | { readonly kind: "revoked"; readonly pollSeconds: number }
  | Failure;

/** Nothing new could be had. */
export interface Failure {
  readonly kind: "failed";
  readonly error: D2Error;
  /** `set_up`: asking again will not help, somebody must change something; `passing`: it may. */
  readonly nature: "set_up" | "passing";
  /** Whether asking again at once may help. */
  readonly again?: boolean | undefined;
  /** Seconds that the control plane wants to be left alone. */
  readonly retryAfter?: number | undefined;
}

const DEFAULT_POLL_SECONDS = 60;
const MAX_SECONDS = 3600;

/** @param maxBytes the limit that was set for the body, for the error that it was exceeded */
export function readBundleReply(reply: HttpReply, maxBytes: number, now: number): BundleReply {
  if (reply.kind === "fault") {
    if (reply.fault === "too_large") {
      return {
        kind: "failed",
        error: new PolicyTooLargeError(Number(reply.code), maxBytes),
        nature: "set_up",
      };
    }
    return passing("cloud_unreachable", `the bundle ${faultText(reply)}`);
  }
  const { status } = reply;
  const pollSeconds = readPollSeconds(reply.pollSeconds);
  if (status === 200) return readBody(reply, pollSeconds);
  if (status === 304) return { kind: "unchanged", pollSeconds };
  if (status === 410) return { kind: "revoked", pollSeconds };
  if (status === 429) {
    const retryAfter = readRetryAfter(reply.retryAfter, now);
    return { ...passing("cloud_unusable", "the control plane is asked too often (429)"), retryAfter };
  }
  if (status >= 500) {
    return {
      ...passing("cloud_unusable", `the control plane has a fault of its own (${status})`),
      again: true,
    };
  }
  return readRefusal(status, wordsOf(reply.body));
}

function readBody({ body, etag }: Extract<HttpReply, { kind: "answer" }>, pollSeconds: number): BundleReply {
  const value = parse(body);
  if (!isRecord(value) || typeof value["jws"] !== "string") {
    const older = isRecord(value) && Object.hasOwn(value, "policy");
    const what = older ? "a bundle in the older form, whose signature covers nothing" : "no bundle";
    return passing("cloud_unusable", `the control plane has sent ${what}: only a \`jws\` is accepted`);
  }
  const { jws, version = 0 } = value;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0) {
    return passing(
      "cloud_unusable",
      "the control plane has sent a bundle whose `version` is no whole number",
    );
  }
  // What an ETag may consist of (RFC 9110, section 8.8.3); only such a one goes back in a header.
  const named = etag !== null && /^(W\/)?"[\x21\x23-\x7e]{0,256}"$/.test(etag) ? etag : undefined;
  return { kind: "bundle", raw: { jws, version, etag: named }, pollSeconds };
}

function readRefusal(status: number, words: ReadonlySet<string>): Failure {
  const says = (word: string) => [...words].some((it) => it.includes(word));
  switch (status) {
    case 401:
      return setUp("the control plane does not know the token (401): give one that is valid");
    case 402: {
      const why = says("tool_limit")
        ? "the policy names more tools than the plan allows (`tool_limit`): name fewer, or change the plan"
        : says("locked")
          ? "the account is locked (`locked`): see to its plan"
          : "the plan does not allow it (402): see to the account's plan";
      return { kind: "failed", error: new D2PlanLimitError(why), nature: "set_up" };
    }
    case 403: {
      if (says("quota_apps_exceeded")) {
        const why =
          "the account has more apps than its plan allows (`quota_apps_exceeded`): delete one, or change the plan";
        return { kind: "failed", error: new D2PlanLimitError(why), nature: "set_up" };
      }
      return setUp("the token may not read this policy (403): give the runtime token of the app");
    }
    case 404:
      if (says("app_name required for non-server tokens")) {
        return setUp("the token is one for developers (404): give the runtime token of the app");
      }
      return passing("cloud_unusable", "no policy has been published for the app (404): `d2 publish` one");
  }
  return passing("cloud_unusable", `the control plane gives an answer that means nothing here (${status})`);
}

/** What a problem document says by which cases can be told apart. */
function wordsOf(body: string): ReadonlySet<string> {
  const value = parse(body);
  const said = isRecord(value) ? [value["detail"], value["code"], value["error"]] : [];
  return new Set(said.filter((it) => typeof it === "string"));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const passing = (code: string, message: string): Failure => ({
  kind: "failed",
  error: new D2Error(code, message),
  nature: "passing",
});

const setUp = (message: string): Failure => ({
  kind: "failed",
  error: new ConfigurationError(message),
  nature: "set_up",
});

/** Seconds between two polls, 1 to 3600; 60 where nothing readable is said. */
export function readPollSeconds(value: string | null): number {
  if (value === null || !/^\s*-?\d{1,12}\s*$/.test(value)) return DEFAULT_POLL_SECONDS;
  return Math.min(MAX_SECONDS, Math.max(1, Number(value)));
}

/** Seconds, or the time until a date (RFC 9110, section 10.2.3), 1 to 3600. */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\s*\d{1,12}\s*$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(MAX_SECONDS, Math.max(1, seconds));
}
