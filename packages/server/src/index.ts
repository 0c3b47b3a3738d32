export type { Access, Answer, Identity, Method, Route } from "./http/route.js";
export type { RotationRequest, Services, Signing } from "./http/services.js";
export { type RunningServer, startServer } from "./server.js";
export type { BaseServices, Closable, Feature, ServerParts } from "./server-parts.js";
export {
  createSettings,
  type Plan,
  readSettings,
  type Settings,
  SettingsError,
  type SettingsInput,
} from "./settings.js";
