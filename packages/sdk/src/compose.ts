/** The starter pack: one policy of five gates, configured by a value. */
export {
  type ComposeConfig,
  composePolicy,
  InvalidComposeConfigError,
  POLICY,
  POLICY_CONFIG,
} from "d2-core/compose";
