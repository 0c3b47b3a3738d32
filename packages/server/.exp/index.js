import { d as createSettings, f as readSettings, i as startServer, u as SettingsError } from "./shared/server.js";

export { SettingsError, createSettings, readSettings, startServer };