export { describePolicy } from "./inspect/describe-policy.js";
export type {
  Described,
  DescribedGroup,
  DescribedLabel,
  DescribedPermission,
  DescribedRole,
  DescribedRule,
  DescribedSequence,
  DescribedUser,
  DescribeOptions,
  MergedRule,
  MergedTool,
  PolicyDescription,
} from "./inspect/description.js";
export { type DescriptionTextOptions, descriptionText } from "./inspect/description-text.js";
export { type AccessMatrix, type Cell, matrixOf } from "./inspect/matrix.js";
export { matrixText } from "./inspect/matrix-text.js";
