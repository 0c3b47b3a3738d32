export { type LogFiles, logFilesOf } from "./files/log-files.js";
export {
  type PolicyFile,
  type PolicyFileQuestion,
  policyFileInForce,
  readPolicyFileText,
} from "./files/policy-file.js";
export { configHome, type Environment } from "./setup/environment.js";
