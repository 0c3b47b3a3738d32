#!/usr/bin/env node
import { _ as StorageError, a as migrate, c as programSchema, f as readSettings, g as newId, h as APP_NAME, i as startServer, l as standardParts, m as createToken, n as createLogger, o as openStorage, p as SCOPES, r as openDatabase, s as schemaVersion, t as baseServices, u as SettingsError } from "./shared/server.js";
import { X509Certificate, createPrivateKey, randomBytes } from "node:crypto";
import { access, readFile, stat, statfs } from "node:fs/promises";
import { constants } from "node:fs";
import { dirname, join } from "node:path";
import { Command, CommanderError, Option } from "commander";

// packages/server/dist/commands/shared-options.js
/** The options that say which database and data a command works on. */
function withDatabaseOptions(command) {
	return command.option("--data <folder>", "folder of the database and the server's key (D2_SERVER_DATA)").option("--database-url <url>", "PostgreSQL instead of SQLite (DATABASE_URL, which hides the password)");
}
/** The settings of the environment, with a command's flags over them. @throws SettingsError */
function settingsOf(terminal, options, flags = {}) {
	return readSettings(terminal.environment, {
		dataFolder: options.data,
		databaseUrl: options.databaseUrl,
		...flags
	});
}
/** How to open the database of the settings. */
function databaseOptions({ databaseUrl, databaseFile }) {
	return {
		url: databaseUrl,
		file: databaseFile
	};
}

// packages/server/dist/commands/terminal.js
/** How a command ended: done; something was found that needs a hand; wrongly used or set; failed. */
const EXIT = Object.freeze({
	done: 0,
	found: 1,
	usage: 2,
	failed: 3
});
/** A command that could not do what it should, with the words for whoever called it. */
var CommandError = class extends Error {
	name = "CommandError";
	exitCode;
	constructor(message, exitCode) {
		super(message);
		this.exitCode = exitCode;
	}
};

// packages/server/dist/commands/bootstrap.js
/** `d2-server bootstrap`: the first account with an app and a token of each kind. */
function bootstrapCommand(terminal) {
	return withDatabaseOptions(new Command("bootstrap")).description("make the first account, an app and tokens; prints the tokens, which cannot be shown again").option("--account <name>", "name of the account", "default").option("--app <name>", "name of the app: `metadata.name` of its policies", "default").option("--plan <name>", "plan of the account (D2_SERVER_PLANS)", "default").option("--another", "also when there is an account already").option("--json", "print JSON").action(async (options) => {
		if (!APP_NAME.safeParse(options.app).success) throw new CommandError("`--app` must be 1 to 128 letters, digits, `.`, `_` or `-`", EXIT.usage);
		const settings = settingsOf(terminal, options);
		const storage = await openDatabase(settings, Date.now, createLogger("silent"));
		try {
			const made = await bootstrap(storage, options);
			terminal.out(options.json === true ? `${JSON.stringify(made)}\n` : shown$1(made));
		} finally {
			await storage.close();
		}
	});
}
async function bootstrap(storage, options) {
	if (options.another !== true && (await storage.accounts()).length > 0) throw new CommandError("the database has an account already: make tokens with `POST /v1/tokens`, or another account with `--another`", EXIT.found);
	const accountId = newId("acc", randomBytes);
	const appId = newId("app", randomBytes);
	const createdAt = Date.now();
	await storage.createAccount({
		id: accountId,
		name: options.account,
		plan: options.plan,
		createdAt
	});
	await storage.createApp({
		id: appId,
		accountId,
		name: options.app,
		createdAt,
		currentVersion: 0,
		revokedAt: null
	});
	const make = async (kind) => {
		const request = {
			accountId,
			kind,
			scopes: kind === "developer" ? SCOPES.developer.possible : void 0,
			appId: kind === "runtime" ? appId : null,
			name: "bootstrap"
		};
		return (await createToken({
			storage,
			clock: Date.now,
			randomBytes
		}, request)).text;
	};
	return {
		account_id: accountId,
		app_id: appId,
		app_name: options.app,
		tokens: {
			runtime: await make("runtime"),
			developer: await make("developer"),
			admin: await make("admin")
		}
	};
}
function shown$1({ account_id, app_id, app_name, tokens }) {
	return [
		`account    ${account_id}`,
		`app        ${app_id} (${app_name})`,
		"",
		"tokens, shown this once:",
		`runtime    ${tokens.runtime}   D2_TOKEN of the app`,
		`developer  ${tokens.developer}   \`d2 login\`, to publish`,
		`admin      ${tokens.admin}   apps, tokens and keys`,
		""
	].join("\n");
}

// packages/server/dist/commands/doctor-checks.js
const LEAST_FREE_BYTES = 268435456;
/** How far the clocks of servers on one database may be apart, in milliseconds. */
const CLOCK_TOLERANCE = 6e4;
function codeOf(error) {
	return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
/** Whether the data folder, or the nearest one above it that is there, can be written and has room. */
async function checkFolder({ dataFolder }) {
	const name = "data folder";
	let folder = dataFolder;
	for (;;) try {
		await access(folder, constants.W_OK | constants.X_OK);
		break;
	} catch (error) {
		const above = dirname(folder);
		if (codeOf(error) !== "ENOENT" || above === folder) return [{
			name,
			ok: false,
			says: `cannot be written (${codeOf(error)}): change its owner, or \`--data\``
		}];
		folder = above;
	}
	const { bavail, bsize } = await statfs(folder);
	const free = bavail * bsize;
	const megabytes = Math.floor(free / 1048576);
	return free < LEAST_FREE_BYTES ? [{
		name,
		ok: false,
		says: `only ${megabytes} MB are free: make room`
	}] : [{
		name,
		ok: true,
		says: `can be written, ${megabytes} MB free`
	}];
}
/** Whether the key that encrypts signing keys is there and nobody else's to read. */
async function checkServerKey({ serverKey, dataFolder }) {
	const name = "server key";
	if (serverKey !== void 0) {
		const bytes = Buffer.from(serverKey, "base64");
		return bytes.length === 32 && bytes.toString("base64") === serverKey.trim() ? [{
			name,
			ok: true,
			says: "D2_SERVER_KEY holds 32 bytes"
		}] : [{
			name,
			ok: false,
			says: "D2_SERVER_KEY must be base64 of 32 bytes: `openssl rand -base64 32` makes one"
		}];
	}
	const file = join(dataFolder, "server.key");
	try {
		const { mode } = await stat(file);
		if ((mode & 63) !== 0) return [{
			name,
			ok: false,
			says: `others may read \`${file}\`: \`chmod 600\` it, then rotate the keys`
		}];
		return [{
			name,
			ok: true,
			says: `\`${file}\` is there, for this user only`
		}];
	} catch (error) {
		if (codeOf(error) !== "ENOENT") return [{
			name,
			ok: false,
			says: `\`${file}\` cannot be looked at (${codeOf(error)}): change its owner`
		}];
		return [{
			name,
			ok: true,
			says: `\`${file}\` will be made at the first start; keep a copy of it`
		}];
	}
}
/** Whether certificate and key can be read, belong together, and are valid now. */
async function checkCertificate({ tlsCert, tlsKey }) {
	const name = "certificate";
	if (tlsCert === void 0 || tlsKey === void 0) return [{
		name,
		ok: true,
		says: "none: TLS is for a proxy in front"
	}];
	try {
		const certificate = new X509Certificate(await readFile(tlsCert));
		const key = createPrivateKey(await readFile(tlsKey));
		if (!certificate.checkPrivateKey(key)) return [{
			name,
			ok: false,
			says: "`--tls-key` does not belong to `--tls-cert`: give the matching pair"
		}];
		const now = Date.now();
		return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo) ? [{
			name,
			ok: true,
			says: `valid until ${certificate.validTo}`
		}] : [{
			name,
			ok: false,
			says: `valid from ${certificate.validFrom} to ${certificate.validTo}: renew it`
		}];
	} catch (error) {
		return [{
			name,
			ok: false,
			says: `cannot be read (${codeOf(error)}): check the files and their owner`
		}];
	}
}
/** Whether the database answers, has the right schema and an account, and agrees with the clock. */
async function checkDatabase(settings) {
	const options = databaseOptions(settings);
	const name = "database";
	if (options.url === void 0) try {
		await access(options.file, constants.R_OK | constants.W_OK);
	} catch (error) {
		return [{
			name,
			ok: false,
			says: codeOf(error) === "ENOENT" ? "not made yet: `d2-server migrate`, then `d2-server bootstrap`" : `the file cannot be written (${codeOf(error)}): change its owner`
		}];
	}
	try {
		const version = await schemaVersion(options);
		if (version !== programSchema) return [{
			name,
			ok: true,
			says: "answers"
		}, {
			name: "schema",
			ok: false,
			says: `is ${version}, and this program's is ${programSchema}: ${version < programSchema ? "run `d2-server migrate`" : "run a newer d2-server"}`
		}];
		return [
			{
				name,
				ok: true,
				says: "answers"
			},
			{
				name: "schema",
				ok: true,
				says: `is ${version}`
			},
			...await checkContents(settings)
		];
	} catch (error) {
		return [{
			name,
			ok: false,
			says: error instanceof StorageError ? error.message : `does not answer (${codeOf(error)})`
		}];
	}
}
async function checkContents(settings) {
	const storage = await openStorage({
		...databaseOptions(settings),
		logger: createLogger("silent")
	});
	try {
		const accounts = await storage.accounts();
		const keys = await storage.signingKeys();
		const behind = Math.max(0, ...[...accounts, ...keys].map(({ createdAt }) => createdAt)) - Date.now();
		return [accounts.length > 0 ? {
			name: "accounts",
			ok: true,
			says: `${accounts.length}`
		} : {
			name: "accounts",
			ok: false,
			says: "none yet: run `d2-server bootstrap`"
		}, behind <= CLOCK_TOLERANCE ? {
			name: "clock",
			ok: true,
			says: (/* @__PURE__ */ new Date()).toISOString()
		} : {
			name: "clock",
			ok: false,
			says: `${Math.ceil(behind / 1e3)} s behind what the database has seen: set it by NTP`
		}];
	} finally {
		await storage.close();
	}
}

// packages/server/dist/commands/doctor.js
const CHECKS = [
	checkFolder,
	checkServerKey,
	checkCertificate,
	checkDatabase
];
/** `d2-server doctor`: looks at everything that a start needs, changes nothing, and says how to mend what is wrong. */
function doctorCommand(terminal, done) {
	return withDatabaseOptions(new Command("doctor")).description("check settings, data folder, key, certificate, database and clock").option("--json", "print JSON").action(async (options) => {
		const settings = settingsOf(terminal, options);
		const findings = [{
			name: "settings",
			ok: true,
			says: "can be used"
		}];
		for (const check of CHECKS) findings.push(...await check(settings));
		const ok = findings.every((finding) => finding.ok);
		terminal.out(options.json === true ? `${JSON.stringify({
			ok,
			findings
		})}\n` : findings.map(line).join(""));
		done(ok ? EXIT.done : EXIT.found);
	});
}
function line({ name, ok, says }) {
	return `${ok ? "ok   " : "wrong"}  ${name}: ${says}\n`;
}

// packages/server/dist/commands/migrate.js
/** `d2-server migrate`: brings the database's schema up to date. */
function migrateCommand(terminal) {
	return withDatabaseOptions(new Command("migrate")).description("bring the database up to date; safe to run at any time, also by several at once").option("--json", "print JSON").action(async (options) => {
		const outcome = await migrate(databaseOptions(settingsOf(terminal, options)));
		const { from, to, applied } = outcome;
		terminal.out(options.json === true ? `${JSON.stringify(outcome)}\n` : applied.length === 0 ? `the database is up to date (schema ${to})\n` : `schema ${from} -> ${to}: ${applied.join(", ")}\n`);
	});
}

// packages/server/dist/commands/rotate-keys.js
/** `d2-server rotate-keys`: a new signing key, through the database; running servers hear of it. */
function rotateKeysCommand(terminal) {
	return withDatabaseOptions(new Command("rotate-keys")).description("make a new signing key; running servers take it up within a second").option("--immediate", "sign with it at once, as when a key may be known to others").addOption(new Option("--alg <algorithm>", "RS256 or EdDSA").choices(["RS256", "EdDSA"])).option("--reason <words>", "told to clients and kept with the key").option("--json", "print JSON").action(async (options) => {
		if (options.reason !== void 0 && !/^[ -~]{1,200}$/.test(options.reason)) throw new CommandError("`--reason` must be 1 to 200 printable ASCII characters", EXIT.usage);
		const settings = settingsOf(terminal, options);
		const logger = createLogger("silent");
		const storage = await openDatabase({
			...settings,
			migrate: false
		}, Date.now, logger);
		try {
			const services = baseServices({
				storage,
				clock: Date.now,
				logger
			}, settings, () => false);
			const signing = await (terminal.parts?.signing ?? standardParts.signing)(services);
			try {
				const { immediate = false, alg, reason } = options;
				terminal.out(shown(await signing.rotate({
					immediate,
					alg,
					reason
				}), options.json === true));
			} finally {
				await signing.close();
			}
		} finally {
			await storage.close();
		}
	});
}
function shown({ kid, alg, signsFrom }, json) {
	const from = new Date(signsFrom).toISOString();
	return json ? `${JSON.stringify({
		kid,
		alg,
		signs_from: from
	})}\n` : `the key ${kid} (${alg}) is listed now and signs from ${from}\n`;
}

// packages/server/dist/commands/start.js
/** `d2-server start`: runs until it is told to stop. */
function startCommand(terminal) {
	return withDatabaseOptions(new Command("start")).description("start the server; it ends on SIGTERM, once running requests are finished").option("--host <address>", "address to listen on (D2_SERVER_HOST, default 127.0.0.1)").option("--port <number>", "port (D2_SERVER_PORT, default 8420)").option("--tls-cert <file>", "certificate chain in PEM (D2_SERVER_TLS_CERT)").option("--tls-key <file>", "its private key in PEM (D2_SERVER_TLS_KEY)").option("--trusted-proxies <list>", "proxies whose X-Forwarded-For is believed (D2_SERVER_TRUSTED_PROXIES)").option("--log-level <level>", "trace, debug, info, warn, error, fatal or silent (D2_SERVER_LOG_LEVEL)").option("--metrics-need-token", "/metrics asks for the scope metrics.read (D2_SERVER_METRICS_NEED_TOKEN)").option("--no-migrate", "refuse an older schema instead of bringing it up to date (D2_SERVER_MIGRATE=0)").action(async (options) => {
		const settings = settingsOf(terminal, options, {
			host: options.host,
			port: options.port,
			tlsCert: options.tlsCert,
			tlsKey: options.tlsKey,
			trustedProxies: options.trustedProxies,
			logLevel: options.logLevel,
			metricsNeedToken: options.metricsNeedToken,
			migrate: options.migrate ? void 0 : false
		});
		const stopped = new Promise((resolve) => terminal.onStop(resolve));
		const server = await startServer(settings, terminal.parts);
		await stopped;
		await server.close();
	});
}

// packages/server/dist/commands/run-command.js
/** Runs `d2-server` with these arguments. @returns the exit code: 0 done, 1 found something, 2 wrong usage, 3 failed */
async function runCommand(args, terminal) {
	const program = new Command("d2-server").description("The control plane of d2: signed policies, their versions, and usage events.").addHelpText("after", "\nSettings come from the environment too; the README lists them. Flags win.").exitOverride().configureOutput({
		writeOut: terminal.out,
		writeErr: terminal.err
	});
	let exitCode = EXIT.done;
	const done = (code) => {
		exitCode = code;
	};
	const makers = [
		startCommand,
		migrateCommand,
		bootstrapCommand,
		rotateKeysCommand,
		doctorCommand
	];
	for (const make of makers) program.addCommand(make(terminal, done).copyInheritedSettings(program));
	try {
		await program.parseAsync(args, { from: "user" });
		return exitCode;
	} catch (error) {
		if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
		const { message, exitCode: code } = failure(error);
		terminal.err(`d2-server: ${message}\n`);
		return code;
	}
}
function failure(error) {
	if (error instanceof CommandError) return error;
	if (error instanceof SettingsError) return {
		message: error.message,
		exitCode: EXIT.usage
	};
	if (error instanceof StorageError) return {
		message: storageWords(error),
		exitCode: EXIT.failed
	};
	return {
		message: systemWords(error instanceof Error && "code" in error ? String(error.code) : "", error),
		exitCode: EXIT.failed
	};
}
function storageWords(error) {
	return error.code === "schema_older" ? `${error.message}; \`d2-server migrate\` does it` : error.message;
}
function systemWords(code, error) {
	switch (code) {
		case "EADDRINUSE": return "the port is in use: stop what listens there, or choose another with `--port`";
		case "EADDRNOTAVAIL":
		case "ENOTFOUND": return "this machine does not have the address of `--host`: give one that it has, or 0.0.0.0";
		case "EACCES":
		case "EPERM": return `the system forbids it (${code}): check the port, and the owner and mode of the data folder and key files`;
		case "ENOENT": return "a file that the settings name does not exist: check `--tls-cert` and `--tls-key`";
		case "ENOSPC":
		case "EROFS": return `the data folder cannot be written (${code}): make room, or choose another with \`--data\``;
	}
	return `failed unexpectedly (${error instanceof Error ? error.name : typeof error}${code === "" ? "" : ` ${code}`})`;
}

// packages/server/dist/d2-server.js
process.exitCode = await runCommand(process.argv.slice(2), {
	environment: process.env,
	out: (text) => process.stdout.write(text),
	err: (text) => process.stderr.write(text),
	onStop: (stop) => {
		process.once("SIGTERM", stop);
		process.once("SIGINT", stop);
	}
});
