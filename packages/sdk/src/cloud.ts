export { type CloudOptions, type CloudSettings, readCloudSettings } from "./cloud/cloud-settings.js";
export { openBundle } from "./cloud/open-bundle.js";
export type { Bundle, RawBundle } from "./cloud/verify-bundle.js";
