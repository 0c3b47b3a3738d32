/** The starter pack: one policy of five gates, configured by a value. */
export { type ComposeConfig, InvalidComposeConfigError } from "./compose/compose-config.js";
export { composePolicy, POLICY, POLICY_CONFIG } from "./compose/compose-policy.js";
