/** The role that every policy of the publishing benchmark allows its tool to. */
export const POLICY_ROLE = "clerk";

/** To `polling-apps`: which tool to call until it is allowed. */
export interface ToolToWaitFor {
  readonly tool: string;
}

/** From `polling-apps`. */
export type AppsMessage =
  /** Every instance has a policy. */
  | { readonly kind: "ready" }
  /** Every instance denies the tool, and looks out for what allows it. */
  | { readonly kind: "waiting" }
  /** When each instance has let a call of the tool through, in milliseconds since 1970. */
  | { readonly kind: "enforced"; readonly times: readonly number[] };
