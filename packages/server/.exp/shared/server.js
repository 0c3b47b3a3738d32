import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, generateKeyPair, hash, randomBytes, timingSafeEqual, verify } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { pino } from "pino";
import { BlockList, isIP, isIPv6 } from "node:net";
import { z } from "zod";
import { blake2s } from "@noble/hashes/blake2.js";
import { Hono } from "hono";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { STATUS_CODES, createServer } from "node:http";
import { createServer as createServer$1 } from "node:https";
import { getRequestListener } from "@hono/node-server";
import { dirname, join, resolve } from "node:path";
import { DEFAULT_MAX_BYTES, UNREADABLE, canonicalJson } from "d2-core";
import { loadPolicy, readPolicyText } from "d2-policy";
import { diffPolicies } from "d2-policy/diff";
import { diagnosePolicy } from "d2-policy/diagnose";
import { CompactSign, calculateJwkThumbprint, exportJWK } from "jose";
import { promisify } from "node:util";
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from "kysely";
import pg from "pg";
import { setImmediate } from "node:timers/promises";
import SqliteFile from "libsql";

// packages/server/dist/storage/storage-error.js
/** What went wrong in the database. Its message holds no stored value, unlike those of the databases' own errors. */
var StorageError = class extends Error {
	name = "StorageError";
	code;
	/** SQLSTATE, SQLite's result code or the system's error code; null: none. */
	databaseCode;
	constructor(code, message, databaseCode = null) {
		super(message);
		this.code = code;
		this.databaseCode = databaseCode;
	}
};
/** The `code` of a driver's error, if it looks like one. */
function codeOf(error) {
	if (typeof error !== "object" || error === null || !("code" in error)) return null;
	return typeof error.code === "string" && /^\w{1,64}$/.test(error.code) ? error.code : null;
}
/** A statement was refused. Drivers quote values in their messages (`Key (name)=(…)`), so only the code is kept. */
function statementError(error) {
	if (error instanceof StorageError) return error;
	const code = codeOf(error);
	const told = code === null ? "" : ` (\`${code}\`)`;
	return new StorageError("failed", `the database refused a statement${told}`, code);
}
/** No connection. The driver's message may hold the address with its password. */
function connectionError(error) {
	const code = codeOf(error);
	const told = code === null ? "" : ` (\`${code}\`)`;
	return new StorageError("unreachable", `cannot reach the database${told}: check that it runs, and its address, name and password`, code);
}

// packages/server/dist/http/problem.js
const TITLES = /* @__PURE__ */ new Map([
	[400, "The request is not well formed"],
	[401, "The token is missing or not valid"],
	[402, "The plan does not cover this"],
	[403, "The token may not do this"],
	[404, "There is no such thing"],
	[405, "The method is not allowed here"],
	[408, "The request took too long"],
	[409, "It is in conflict with what is there"],
	[410, "It was revoked"],
	[412, "It has changed in the meantime"],
	[413, "The request is too large"],
	[414, "The address is too long"],
	[415, "The format of the body is not supported"],
	[422, "The content is not valid"],
	[429, "Too many requests"],
	[431, "The headers are too large"],
	[500, "The server failed"],
	[503, "The server is not ready"]
]);
/**
* An answer that is an error: a problem document (RFC 9457). Thrown anywhere below a route, it becomes the answer.
* `code` is stable and in snake_case; `type` and `error` of the document follow from it.
*/
var Problem = class extends Error {
	name = "Problem";
	status;
	code;
	title;
	detail;
	members;
	headers;
	constructor(status, code, options = {}) {
		const title = TITLES.get(status) ?? "The request failed";
		super(options.detail ?? title, options.cause === void 0 ? {} : { cause: options.cause });
		this.status = status;
		this.code = code;
		this.title = title;
		this.detail = options.detail;
		this.members = options.members ?? {};
		this.headers = options.headers ?? {};
	}
	/** The members of the document, without the request's id. */
	document() {
		return {
			...this.members,
			type: `https://d2.dev/problems/${this.code}`,
			title: this.title,
			status: this.status,
			...this.detail === void 0 ? {} : { detail: this.detail },
			code: this.code,
			error: this.code
		};
	}
};
/** Whole seconds for `Retry-After`, at least 1. */
function retryAfter(milliseconds) {
	return { "Retry-After": String(Math.max(1, Math.ceil(milliseconds / 1e3))) };
}
/** What the caller gets for anything that is not a problem: nothing that could give something away. */
function problemOf(error) {
	if (error instanceof Problem) return error;
	if (error instanceof StorageError && error.code === "unreachable") return new Problem(503, "storage_unavailable", {
		detail: "the database does not answer: try again soon",
		headers: { "Retry-After": "1" },
		cause: error
	});
	return new Problem(500, "internal", {
		detail: "the server could not finish the request; its log has more under the request's id",
		cause: error
	});
}

// packages/server/dist/access/client-address.js
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** An IPv4 address in an IPv6 one is itself again. */
function plain(address) {
	return MAPPED.exec(address)?.[1] ?? address;
}
/** @throws Error when an entry is neither an address nor a network */
function trustedNetworks(entries) {
	const list = new BlockList();
	for (const entry of entries) {
		const [address = "", bits, ...rest] = entry.split("/");
		const version = isIP(address);
		const most = version === 4 ? 32 : 128;
		const prefix = bits === void 0 ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
		if (version === 0 || rest.length > 0 || !(prefix <= most)) throw new Error("trusted proxies must be addresses or networks such as `10.0.0.0/8`");
		list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
	}
	return list;
}
/**
* Tells who is calling: the peer, or, where the peer is a trusted proxy, the last address in `X-Forwarded-For` that is
* not one itself. What an untrusted peer says is not believed.
*/
var ClientAddress = class {
	#trusted;
	#any;
	constructor(trustedProxies) {
		this.#trusted = trustedNetworks(trustedProxies);
		this.#any = trustedProxies.length > 0;
	}
	of(incoming) {
		let address = plain(incoming.socket.remoteAddress ?? "");
		if (!this.#any || !this.#trusts(address)) return address;
		const forwarded = incoming.headers["x-forwarded-for"];
		const hops = (Array.isArray(forwarded) ? forwarded.join(",") : forwarded ?? "").split(",");
		for (const hop of hops.reverse()) {
			const next = plain(hop.trim());
			if (isIP(next) === 0) return address;
			address = next;
			if (!this.#trusts(address)) return address;
		}
		return address;
	}
	#trusts(address) {
		return isIP(address) !== 0 && this.#trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
	}
};
/** What rates are counted by: an IPv4 address, or the network that one IPv6 customer gets. */
function rateKey(address) {
	if (!address.includes(":")) return address;
	const [head = "", tail] = address.split("::");
	const left = head === "" ? [] : head.split(":");
	const right = tail === void 0 || tail === "" ? [] : tail.split(":");
	const zeros = tail === void 0 ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
	return `${[
		...left,
		...zeros,
		...right
	].slice(0, 4).join(":")}::/64`;
}

// packages/server/dist/access/rate-limit.js
/** Token buckets by key, in bounded memory. */
var RateLimit = class {
	#perMillisecond;
	#burst;
	#monotonic;
	#limit;
	#buckets = /* @__PURE__ */ new Map();
	constructor({ perSecond, burst, monotonic, limit = 5e4 }) {
		this.#perMillisecond = perSecond / 1e3;
		this.#burst = burst;
		this.#monotonic = monotonic;
		this.#limit = limit;
	}
	get size() {
		return this.#buckets.size;
	}
	/** Takes one. @returns 0, or the milliseconds until there is one again */
	take(key) {
		if (this.#perMillisecond === 0) return 0;
		const bucket = this.#filled(key);
		if (bucket.tokens < 1) return this.#wait(bucket);
		bucket.tokens--;
		return 0;
	}
	/** As `take`, without taking. */
	wait(key) {
		const bucket = this.#perMillisecond === 0 ? void 0 : this.#buckets.get(key);
		if (bucket === void 0) return 0;
		this.#fill(bucket);
		return bucket.tokens < 1 ? this.#wait(bucket) : 0;
	}
	#wait(bucket) {
		return Math.ceil((1 - bucket.tokens) / this.#perMillisecond);
	}
	#fill(bucket) {
		const now = this.#monotonic();
		bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMillisecond);
		bucket.at = now;
	}
	#filled(key) {
		const there = this.#buckets.get(key);
		if (there !== void 0) {
			this.#fill(there);
			return there;
		}
		if (this.#buckets.size >= this.#limit) this.#forget();
		const bucket = {
			tokens: this.#burst,
			at: this.#monotonic()
		};
		this.#buckets.set(key, bucket);
		return bucket;
	}
	/** Those that are full again say nothing; if there are none, whoever came first gets a new chance. */
	#forget() {
		let first;
		for (const [key, bucket] of this.#buckets) {
			first ??= key;
			this.#fill(bucket);
			if (bucket.tokens >= this.#burst) this.#buckets.delete(key);
		}
		if (this.#buckets.size >= this.#limit && first !== void 0) this.#buckets.delete(first);
	}
};

// packages/server/dist/access/token-text.js
const LETTERS = {
	runtime: "r",
	developer: "d",
	admin: "a"
};
const TOKEN$1 = /^d2[rda]_[A-Za-z0-9_-]{43}$/;
/** The text of a new token: it is shown once and kept nowhere. */
function newTokenText(kind, randomBytes) {
	return `d2${LETTERS[kind]}_${Buffer.from(randomBytes(32)).toString("base64url")}`;
}
/** By what a token is found: the SHA-256 of its text, 64 lower-case hex digits. */
function tokenDigest(text) {
	return hash("sha256", text, "hex");
}
/** The token of an `Authorization` header; undefined: it is none of ours. */
function bearerToken(header) {
	const text = /^bearer +/i.test(header) ? header.slice(7).trim() : "";
	return TOKEN$1.test(text) ? text : void 0;
}
/** Whether two digests are the same, in time that does not depend on where they differ. */
function sameDigest(one, other) {
	return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

// packages/server/dist/access/token-cache.js
/**
* The tokens in use, in memory, so that a request asks the database only the first time. Unknown tokens are not kept.
* INVARIANT: a token whose change was heard of is read anew, also when it was being read at that moment.
*/
var TokenCache = class {
	#storage;
	#limit;
	#stop;
	#byDigest = /* @__PURE__ */ new Map();
	#digestById = /* @__PURE__ */ new Map();
	#reading = /* @__PURE__ */ new Map();
	#changes = 0;
	/** @param limit tokens that are kept; beyond it the one that came first goes */
	constructor(storage, limit = 2e4) {
		this.#storage = storage;
		this.#limit = limit;
		this.#stop = storage.watch((change) => {
			if (change.kind === "token") this.forget(change.id);
		});
	}
	close() {
		this.#stop();
	}
	/** What is in memory. */
	known(digest) {
		const token = this.#byDigest.get(digest);
		return token !== void 0 && sameDigest(token.digest, digest) ? token : void 0;
	}
	/** Asks the database; callers that ask for the same token at once share the answer. */
	read(digest) {
		const running = this.#reading.get(digest);
		if (running !== void 0) return running;
		const reading = this.#read(digest).finally(() => {
			if (this.#reading.get(digest) === reading) this.#reading.delete(digest);
		});
		this.#reading.set(digest, reading);
		return reading;
	}
	forget(id) {
		this.#changes++;
		this.#reading.clear();
		const digest = this.#digestById.get(id);
		if (digest === void 0) return;
		this.#digestById.delete(id);
		this.#byDigest.delete(digest);
	}
	async #read(digest) {
		const changes = this.#changes;
		const token = await this.#storage.tokenByDigest(digest);
		if (token === void 0 || !sameDigest(token.digest, digest)) return void 0;
		if (changes !== this.#changes) return this.#read(digest);
		if (token.revokedAt === null) this.#keep(token);
		return token;
	}
	#keep(token) {
		const [oldest] = this.#byDigest.values();
		if (this.#byDigest.size >= this.#limit && oldest !== void 0) {
			this.#byDigest.delete(oldest.digest);
			this.#digestById.delete(oldest.id);
		}
		this.#byDigest.set(token.digest, token);
		this.#digestById.set(token.id, token.digest);
	}
};

// packages/server/dist/access/token-uses.js
/** Gathers when tokens were last used, and writes it now and then: a request never waits for it. */
var TokenUses = class {
	#storage;
	#logger;
	#timer;
	#uses = /* @__PURE__ */ new Map();
	#writing = Promise.resolve();
	/** @param interval milliseconds */
	constructor(storage, interval, logger) {
		this.#storage = storage;
		this.#logger = logger;
		this.#timer = setInterval(() => void this.flush(), interval);
		this.#timer.unref();
	}
	record(tokenId, at) {
		this.#uses.set(tokenId, at);
	}
	/** Never rejects: what could not be written is tried again with the next. */
	flush() {
		this.#writing = this.#writing.then(() => this.#write());
		return this.#writing;
	}
	async close() {
		clearInterval(this.#timer);
		await this.flush();
	}
	async #write() {
		const uses = this.#uses;
		if (uses.size === 0) return;
		this.#uses = /* @__PURE__ */ new Map();
		try {
			await this.#storage.touchTokens(uses);
		} catch {
			for (const [id, at] of uses) if (!this.#uses.has(id)) this.#uses.set(id, at);
			this.#logger.warn({ tokens: uses.size }, "last uses of tokens could not be written; will try again");
		}
	}
};

// packages/server/dist/access/admission.js
/** Decides who may come in: by address, by token, by scope, each within its rate. */
var Admission = class {
	#services;
	#tokens;
	#uses;
	#byAddress;
	#byToken;
	#failures;
	constructor(services) {
		const { settings, storage, logger, monotonic } = services;
		this.#services = services;
		this.#tokens = new TokenCache(storage);
		this.#uses = new TokenUses(storage, settings.touchInterval, logger);
		this.#byAddress = new RateLimit({
			perSecond: settings.rateByAddress,
			burst: settings.rateByAddress * 2,
			monotonic
		});
		this.#byToken = new RateLimit({
			perSecond: settings.rateByToken,
			burst: settings.rateByToken * 2,
			monotonic
		});
		this.#failures = new RateLimit({
			perSecond: settings.failedAuthentications / 60,
			burst: settings.failedAuthentications,
			monotonic
		});
	}
	/** Writes what is still to be written. */
	async close() {
		this.#tokens.close();
		await this.#uses.close();
	}
	/** No longer known from memory, as soon as this returns. */
	forgetToken(id) {
		this.#tokens.forget(id);
	}
	/**
	* At once for a token that is known, after a look into the database for one that is not; undefined: no token is needed.
	*
	* @throws Problem 401, 403 or 429
	*/
	admit(access, incoming, address) {
		this.admitAddress(address);
		if (access === "public") return void 0;
		const text = this.#tokenOf(incoming, address);
		const digest = tokenDigest(text);
		const token = this.#tokens.known(digest);
		return token === void 0 ? this.#lookUp(digest, access, address) : this.#identity(token, access);
	}
	/** @throws Problem 429 */
	admitAddress(address) {
		this.#pass(this.#byAddress.take(rateKey(address)), "address");
	}
	#tokenOf(incoming, address) {
		const header = incoming.headers.authorization;
		if (header === void 0) throw new Problem(401, "token_missing", {
			detail: "send a token: `Authorization: Bearer d2..._...`",
			headers: { "WWW-Authenticate": "Bearer realm=\"d2\"" }
		});
		return bearerToken(header) ?? this.#refuse(address, "the token is not one of this server");
	}
	async #lookUp(digest, access, address) {
		this.#pass(this.#failures.wait(rateKey(address)), "authentication");
		const token = await this.#tokens.read(digest);
		if (token === void 0) return this.#refuse(address, "the token is not one of this server");
		if (token.revokedAt !== null) return this.#refuse(address, "the token was revoked");
		return this.#identity(token, access);
	}
	#identity(token, access) {
		this.#pass(this.#byToken.take(token.id), "token");
		this.#uses.record(token.id, this.#services.clock());
		if (!access.scopes.some((scope) => token.scopes.includes(scope))) throw new Problem(403, "insufficient_scope", { detail: `this needs a token with the scope ${access.scopes.map((it) => `\`${it}\``).join(" or ")}` });
		const { accountId, id, kind, scopes, appId } = token;
		return {
			accountId,
			tokenId: id,
			kind,
			scopes,
			appId
		};
	}
	#refuse(address, detail) {
		this.#services.metrics.authenticationFailures.add(1);
		this.#pass(this.#failures.take(rateKey(address)), "authentication");
		throw new Problem(401, "token_invalid", {
			detail,
			headers: { "WWW-Authenticate": "Bearer realm=\"d2\", error=\"invalid_token\"" }
		});
	}
	#pass(wait, limit) {
		if (wait === 0) return;
		this.#services.metrics.rateLimited.add(1, limit);
		throw new Problem(429, "rate_limited", {
			detail: `too many requests by this ${limit === "token" ? "token" : "address"}: wait`,
			headers: retryAfter(wait)
		});
	}
};

// packages/server/dist/http/query.js
/** The query of an address that has none. */
const NO_QUERY = Object.freeze({});
/**
* The query of a request's address, by name.
*
* @throws Problem 400 when a name is there twice, for two readers may not agree on which one counts
*/
function queryOf(url) {
	const start = url.indexOf("?");
	if (start === -1) return NO_QUERY;
	const query = Object.create(null);
	for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
		if (Object.hasOwn(query, name)) throw new Problem(400, "repeated_parameter", { detail: "a query parameter is there more than once" });
		query[name] = value;
	}
	return query;
}

// packages/server/dist/http/validation.js
const MAX_ISSUES = 20;
const MAX_SEGMENT = 64;
/**
* What the schema makes of a part of the request; undefined without a schema.
*
* @throws Problem 400 `invalid_request` with `issues` that name paths, never values
*/
function validated(schema, value, part) {
	if (schema === void 0) return void 0;
	const result = schema.safeParse(value);
	if (result.success) return result.data;
	const { issues } = result.error;
	throw new Problem(400, "invalid_request", {
		detail: `the ${part} is not as described: see \`issues\``,
		members: { issues: issues.slice(0, MAX_ISSUES).map((issue) => described(issue, part)) }
	});
}
function described(issue, part) {
	return {
		in: part,
		path: pathText(issue.path),
		message: wording(issue)
	};
}
function pathText(path) {
	return path.reduce((text, step) => {
		if (typeof step === "number") return `${text}[${step}]`;
		const name = String(step).slice(0, MAX_SEGMENT);
		return text === "" ? name : `${text}.${name}`;
	}, "");
}
/** Own words: those of the schema library may hold what was sent. */
function wording(issue) {
	switch (issue.code) {
		case "invalid_type": return `must be of type ${issue.expected}`;
		case "too_small": return `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit(issue.origin)}`;
		case "too_big": return `must be ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit(issue.origin)}`;
		case "invalid_format": return issue.pattern === void 0 ? `must have the format ${issue.format}` : `must match ${issue.pattern}`;
		case "not_multiple_of": return `must be a multiple of ${issue.divisor}`;
		case "unrecognized_keys": return "has members that are not known";
		case "invalid_value": return `must be one of ${issue.values.map(String).join(", ")}`;
		case "invalid_union": return "matches none of the allowed forms";
		case "invalid_key": return "has a name that is not allowed";
		case "invalid_element": return "has an element that is not allowed";
		case "custom": return issue.message;
	}
}
function unit(origin) {
	if (origin === "string") return " characters long";
	return origin === "array" || origin === "set" ? " elements long" : "";
}

// packages/server/dist/http/route.js
/**
* A maker of routes for handlers that need the services `S`:
* `const route = routesOf<PolicyServices>()`, then `route({ method: "GET", path: "/v1/things", ... })`.
*/
function routesOf() {
	return (definition) => {
		const { handler, ...description } = definition;
		const none = definition.query?.safeParse(NO_QUERY);
		const ofNone = none?.success === true ? none.data : void 0;
		return {
			...description,
			run(facts, identity, parts) {
				return handler({
					services: facts.services,
					clock: facts.clock,
					requestId: facts.requestId,
					rawHeaders: facts.rawHeaders,
					address: facts.address,
					identity,
					params: validated(definition.params, parts.params, "path"),
					query: ofNone !== void 0 && parts.query === NO_QUERY ? ofNone : validated(definition.query, parts.query, "query"),
					headers: validated(definition.headers, facts.rawHeaders, "header"),
					body: validated(definition.body, parts.body, "body"),
					bytes: parts.bytes
				});
			}
		};
	};
}
/** Makes a route for handlers that need no more than the basic services. */
const route = routesOf();

// packages/server/dist/admin/plan.js
/** For clients that must be told a number where there is no limit. */
const NO_LIMIT = 1e6;
/** The limits of a plan; a plan that is not listed has none. */
function planNamed(settings, name) {
	return Object.hasOwn(settings.plans, name) ? settings.plans[name] ?? {} : {};
}
/** What clients are told of a plan, in the words of the protocol. */
function quotasOf(plan) {
	return {
		max_tools: plan.max_tools ?? NO_LIMIT,
		event_batch: plan.event_batch ?? 1e3,
		ingest_interval: plan.ingest_interval ?? 60
	};
}

// packages/server/dist/admin/account-routes.js
const ME = z.object({
	account_id: z.string(),
	name: z.string(),
	plan: z.string(),
	poll_seconds: z.int(),
	quotas: z.object({
		max_tools: z.int(),
		event_batch: z.int(),
		ingest_interval: z.int()
	}),
	event_sample: z.record(z.string(), z.number()).optional(),
	app: z.object({
		id: z.string(),
		name: z.string()
	}).nullable().describe("The app of a runtime token."),
	token: z.object({
		id: z.string(),
		kind: z.string(),
		scopes: z.array(z.string())
	})
});
/** `GET /v1/accounts/me`. */
const accountRoutes = [route({
	method: "GET",
	path: "/v1/accounts/me",
	summary: "The account, plan and scopes of the token",
	tag: "accounts",
	access: { scopes: [
		"policy.read",
		"policy.write",
		"events.write",
		"metrics.read",
		"admin"
	] },
	responses: { 200: {
		description: "Who the token stands for",
		schema: ME
	} },
	async handler({ services, identity }) {
		const { storage, settings } = services;
		const { accountId, appId, tokenId, kind, scopes } = identity;
		const account = await storage.account(accountId);
		if (account === void 0) throw new Problem(404, "account_not_found");
		const app = appId === null ? void 0 : await storage.app(accountId, appId);
		const plan = planNamed(settings, account.plan);
		return {
			status: 200,
			body: {
				account_id: account.id,
				name: account.name,
				plan: account.plan,
				poll_seconds: plan.poll_seconds ?? settings.pollSeconds,
				quotas: quotasOf(plan),
				...plan.event_sample === void 0 ? {} : { event_sample: plan.event_sample },
				app: app === void 0 ? null : {
					id: app.id,
					name: app.name
				},
				token: {
					id: tokenId,
					kind,
					scopes: [...scopes]
				}
			}
		};
	}
})];

// packages/server/dist/admin/id.js
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const LENGTH$1 = 20;
/** A new id: the prefix and 20 random characters of base32 in lower case. */
function newId(prefix, randomBytes) {
	return `${prefix}_${Array.from(randomBytes(LENGTH$1), (byte) => ALPHABET[byte % 32]).join("")}`;
}

// packages/server/dist/admin/app-creation.js
/** One after the other for each account, so that two requests cannot both take the last place that a plan has. */
var AppCreation = class {
	#making;
	#last = /* @__PURE__ */ new Map();
	constructor(making) {
		this.#making = making;
	}
	/** @throws Problem 403 when the plan has no room, 409 when the name is taken */
	create(accountId, name) {
		const next = (this.#last.get(accountId) ?? Promise.resolve()).then(() => createApp$1(this.#making, accountId, name));
		const settled = next.then(() => void 0, () => void 0);
		this.#last.set(accountId, settled);
		settled.then(() => {
			if (this.#last.get(accountId) === settled) this.#last.delete(accountId);
		});
		return next;
	}
	/** The app of that name, made if it is not there. @throws Problem 403 when the plan has no room */
	async obtain(accountId, name) {
		const { storage } = this.#making;
		const there = await storage.appByName(accountId, name);
		if (there !== void 0) return there;
		try {
			return await this.create(accountId, name);
		} catch (error) {
			const made = await storage.appByName(accountId, name);
			if (made === void 0) throw error;
			return made;
		}
	}
};
async function createApp$1(making, accountId, name) {
	const { storage, settings, clock, randomBytes } = making;
	if (await storage.appByName(accountId, name) !== void 0) throw taken();
	const account = await storage.account(accountId);
	const { max_apps: most } = planNamed(settings, account?.plan ?? "");
	if (most !== void 0 && await storage.countApps(accountId) >= most) throw new Problem(403, "quota_apps_exceeded", { detail: `quota_apps_exceeded: the plan has room for ${most} apps` });
	const app = {
		id: newId("app", randomBytes),
		accountId,
		name,
		createdAt: clock(),
		currentVersion: 0,
		revokedAt: null
	};
	if (!await storage.createApp(app)) throw taken();
	return app;
}
function taken() {
	return new Problem(409, "app_exists", { detail: "the account has an app of this name" });
}

// packages/server/dist/admin/instant.js
function instant(milliseconds) {
	return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

// packages/server/dist/admin/app-routes.js
/** The name of an app, which is the `metadata.name` of its policies. */
const APP_NAME = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/).describe("1 to 128 letters, digits, `.`, `_`, `-`");
const APP = z.object({
	id: z.string(),
	name: z.string(),
	created_at: z.string(),
	current_version: z.int().describe("0: nothing was published yet"),
	revoked_at: z.string().nullable()
});
function shown$5(app) {
	return {
		id: app.id,
		name: app.name,
		created_at: instant(app.createdAt),
		current_version: app.currentVersion,
		revoked_at: instant(app.revokedAt)
	};
}
/** `GET` and `POST /v1/apps`. */
function appRoutes(creation) {
	return [route({
		method: "GET",
		path: "/v1/apps",
		summary: "The account's apps, by name",
		tag: "apps",
		access: { scopes: ["admin", "policy.write"] },
		responses: { 200: {
			description: "All apps",
			schema: z.object({ apps: z.array(APP) })
		} },
		async handler({ services, identity }) {
			return {
				status: 200,
				body: { apps: (await services.storage.apps(identity.accountId)).map(shown$5) }
			};
		}
	}), route({
		method: "POST",
		path: "/v1/apps",
		summary: "Makes an app",
		tag: "apps",
		access: { scopes: ["admin"] },
		body: z.strictObject({ name: APP_NAME }),
		responses: {
			201: {
				description: "The new app",
				schema: APP
			},
			403: { description: "`quota_apps_exceeded`: the plan has no room for another" },
			409: { description: "`app_exists`: the name is taken" }
		},
		async handler({ identity, body }) {
			return {
				status: 201,
				body: shown$5(await creation.create(identity.accountId, body.name))
			};
		}
	})];
}

// packages/server/dist/admin/key-id.js
/** The id of a publisher's key: `ed_` and the BLAKE2s digest, of 6 bytes, of the 32 raw bytes, in hex. */
function keyId(publicKey) {
	return `ed_${Buffer.from(blake2s(publicKey, { dkLen: 6 })).toString("hex")}`;
}
/** The 32 raw bytes of a key in standard base64; undefined: it is not that. */
function publicKeyBytes(text) {
	const bytes = Buffer.from(text, "base64");
	return bytes.length === 32 && bytes.toString("base64") === text ? bytes : void 0;
}

// packages/server/dist/admin/key-routes.js
const KEY_ID = z.string().regex(/^ed_[0-9a-f]{12}$/);
const KEY = z.object({
	key_id: z.string(),
	public_key: z.string(),
	created_at: z.string(),
	revoked_at: z.string().nullable()
});
function shown$4(key) {
	return {
		key_id: key.keyId,
		public_key: key.publicKey,
		created_at: instant(key.createdAt),
		revoked_at: instant(key.revokedAt)
	};
}
/** `GET` and `POST /v1/keys`, `DELETE /v1/keys/{key_id}`: Ed25519 keys of those who publish. */
const keyRoutes = [
	route({
		method: "GET",
		path: "/v1/keys",
		summary: "The account's publishing keys",
		tag: "keys",
		access: { scopes: ["policy.write", "admin"] },
		responses: { 200: {
			description: "All keys",
			schema: z.object({ keys: z.array(KEY) })
		} },
		async handler({ services, identity }) {
			return {
				status: 200,
				body: { keys: (await services.storage.uploaderKeys(identity.accountId)).map(shown$4) }
			};
		}
	}),
	route({
		method: "POST",
		path: "/v1/keys",
		summary: "Registers a publishing key",
		tag: "keys",
		access: { scopes: ["policy.write", "admin"] },
		body: z.object({
			key_id: KEY_ID.describe("`ed_` and the BLAKE2s digest, of 6 bytes, of the raw key, in hex"),
			public_key: z.string().length(44).describe("The 32 raw bytes of the Ed25519 key in standard base64")
		}),
		responses: {
			200: {
				description: "It was registered before",
				schema: KEY
			},
			201: {
				description: "It is registered",
				schema: KEY
			},
			409: { description: "`key_taken`: another key has the id, or the key was revoked" },
			422: { description: "`key_invalid`, `key_id_mismatch`" }
		},
		async handler({ services, identity, body, clock }) {
			const bytes = publicKeyBytes(body.public_key);
			if (bytes === void 0) throw new Problem(422, "key_invalid", { detail: "`public_key` must be 32 bytes in standard base64" });
			if (keyId(bytes) !== body.key_id) throw new Problem(422, "key_id_mismatch", { detail: "`key_id` must be the digest of `public_key`" });
			const key = {
				accountId: identity.accountId,
				keyId: body.key_id,
				publicKey: body.public_key,
				createdAt: clock(),
				revokedAt: null
			};
			switch (await services.storage.registerUploaderKey(key)) {
				case "registered": return {
					status: 201,
					body: shown$4(key)
				};
				case "known": return {
					status: 200,
					body: shown$4(await services.storage.uploaderKey(key.accountId, key.keyId) ?? key)
				};
				case "taken": throw new Problem(409, "key_taken", { detail: "another key has this id, or the key was revoked" });
			}
		}
	}),
	route({
		method: "DELETE",
		path: "/v1/keys/{key_id}",
		summary: "Revokes a publishing key, for good",
		tag: "keys",
		access: { scopes: ["admin"] },
		params: z.object({ key_id: KEY_ID }),
		responses: {
			204: { description: "It is revoked" },
			404: { description: "`key_not_found`: there is none, or it was revoked before" }
		},
		async handler({ services, identity, params, clock }) {
			const { accountId } = identity;
			if (!await services.storage.revokeUploaderKey(accountId, params.key_id, clock())) throw new Problem(404, "key_not_found", { detail: "there is no such key that is still valid" });
			return { status: 204 };
		}
	})
];

// packages/server/dist/admin/signing-key-routes.js
const ALGORITHM = z.enum(["RS256", "EdDSA"]);
const SIGNING_KEY = z.object({
	kid: z.string(),
	alg: ALGORITHM,
	state: z.enum([
		"announced",
		"signing",
		"listed"
	]).describe("`announced`: listed, will sign later; `listed`: has signed, or was overtaken"),
	created_at: z.string(),
	signs_from: z.string(),
	listed_until: z.string().nullable(),
	rotation: z.object({
		id: z.string(),
		reason: z.string()
	}).nullable()
});
function shown$3(key, signer, now) {
	return {
		kid: key.kid,
		alg: key.alg,
		state: key.signsFrom > now ? "announced" : key.kid === signer ? "signing" : "listed",
		created_at: instant(key.createdAt),
		signs_from: instant(key.signsFrom),
		listed_until: instant(key.listedUntil),
		rotation: key.rotation
	};
}
/** `GET /v1/signing-keys` and `POST /v1/signing-keys/rotate`. */
const signingKeyRoutes = [route({
	method: "GET",
	path: "/v1/signing-keys",
	summary: "The keys that sign bundles, oldest first",
	tag: "signing keys",
	access: { scopes: ["admin"] },
	responses: { 200: {
		description: "Listed keys",
		schema: z.object({ keys: z.array(SIGNING_KEY) })
	} },
	handler({ services, clock }) {
		const keys = services.signing.keys();
		const now = clock();
		const signer = services.signing.signer(now)?.kid;
		return {
			status: 200,
			body: { keys: keys.map((key) => shown$3(key, signer, now)) }
		};
	}
}), route({
	method: "POST",
	path: "/v1/signing-keys/rotate",
	summary: "Makes a new signing key",
	description: "It is listed at once, and signs after the lead, or at once with `immediate`.",
	tag: "signing keys",
	access: { scopes: ["admin"] },
	body: z.strictObject({
		immediate: z.boolean().default(false),
		alg: ALGORITHM.optional(),
		reason: z.string().min(1).max(200).regex(/^[ -~]*$/).optional()
	}).default({ immediate: false }),
	responses: { 201: {
		description: "The new key",
		schema: SIGNING_KEY
	} },
	async handler({ services, body, clock }) {
		const key = await services.signing.rotate(body);
		return {
			status: 201,
			body: shown$3(key, key.kid, clock())
		};
	}
})];

// packages/server/dist/admin/new-token.js
/** What each kind of token may do. */
const SCOPES = {
	runtime: {
		usual: ["policy.read", "events.write"],
		possible: ["policy.read", "events.write"]
	},
	developer: {
		usual: ["policy.read", "policy.write"],
		possible: [
			"policy.read",
			"policy.write",
			"metrics.read"
		]
	},
	admin: {
		usual: [
			"admin",
			"metrics.read",
			"policy.read"
		],
		possible: [
			"admin",
			"metrics.read",
			"policy.read"
		]
	}
};
/** Makes a token and stores its digest. @returns it, and its text, which is nowhere else */
async function createToken({ storage, clock, randomBytes }, { accountId, kind, scopes, appId, name }) {
	const text = newTokenText(kind, randomBytes);
	const token = {
		id: newId("tok", randomBytes),
		accountId,
		kind,
		scopes: scopes ?? SCOPES[kind].usual,
		appId,
		name,
		digest: tokenDigest(text),
		createdAt: clock(),
		lastUsedAt: null,
		revokedAt: null
	};
	await storage.createToken(token);
	return {
		token,
		text
	};
}

// packages/server/dist/admin/token-routes.js
const KIND = z.enum([
	"runtime",
	"developer",
	"admin"
]);
const SCOPE = z.enum([
	"policy.read",
	"policy.write",
	"events.write",
	"metrics.read",
	"admin"
]);
const TOKEN = z.object({
	id: z.string(),
	kind: KIND,
	scopes: z.array(SCOPE),
	app_id: z.string().nullable(),
	name: z.string(),
	created_at: z.string(),
	last_used_at: z.string().nullable().describe("Written now and then, so up to a minute late."),
	revoked_at: z.string().nullable()
});
const NEW_TOKEN = z.strictObject({
	kind: KIND,
	name: z.string().max(200).regex(/^\P{Cc}*$/u).default(""),
	app_name: APP_NAME.optional().describe("Of runtime tokens, which need it."),
	scopes: z.array(SCOPE).min(1).max(5).optional().describe("Default: what is usual for the kind.")
});
function shown$2(token) {
	return {
		id: token.id,
		kind: token.kind,
		scopes: [...token.scopes],
		app_id: token.appId,
		name: token.name,
		created_at: instant(token.createdAt),
		last_used_at: instant(token.lastUsedAt),
		revoked_at: instant(token.revokedAt)
	};
}
/** `GET` and `POST /v1/tokens`, `DELETE /v1/tokens/{id}`. */
function tokenRoutes(admission) {
	return [
		route({
			method: "GET",
			path: "/v1/tokens",
			summary: "The account's tokens, without their texts",
			tag: "tokens",
			access: { scopes: ["admin"] },
			responses: { 200: {
				description: "All tokens",
				schema: z.object({ tokens: z.array(TOKEN) })
			} },
			async handler({ services, identity }) {
				return {
					status: 200,
					body: { tokens: (await services.storage.tokens(identity.accountId)).map(shown$2) }
				};
			}
		}),
		route({
			method: "POST",
			path: "/v1/tokens",
			summary: "Makes a token",
			description: "The text of the token is in this answer and nowhere else.",
			tag: "tokens",
			access: { scopes: ["admin"] },
			body: NEW_TOKEN,
			responses: {
				201: {
					description: "The new token",
					schema: TOKEN.extend({ token: z.string() })
				},
				404: { description: "`app_not_found`" },
				422: { description: "`token_app`, `token_scopes`: kind, app and scopes do not go together" }
			},
			async handler({ services, identity, body }) {
				const { kind, name, app_name: appName } = body;
				const { accountId } = identity;
				if (kind === "runtime" !== (appName !== void 0)) throw new Problem(422, "token_app", { detail: "`app_name` belongs to runtime tokens, and to them only" });
				const scopes = body.scopes === void 0 ? void 0 : [...new Set(body.scopes)];
				if (scopes?.some((scope) => !SCOPES[kind].possible.includes(scope)) === true) throw new Problem(422, "token_scopes", { detail: `a ${kind} token can have the scopes ${SCOPES[kind].possible.join(", ")}` });
				const app = appName === void 0 ? void 0 : await services.storage.appByName(accountId, appName);
				if (appName !== void 0 && app === void 0) throw new Problem(404, "app_not_found", { detail: "the account has no app of this name" });
				const made = await createToken(services, {
					accountId,
					kind,
					scopes,
					appId: app?.id ?? null,
					name
				});
				return {
					status: 201,
					body: {
						...shown$2(made.token),
						token: made.text
					}
				};
			}
		}),
		route({
			method: "DELETE",
			path: "/v1/tokens/{id}",
			summary: "Revokes a token, at once",
			tag: "tokens",
			access: { scopes: ["admin"] },
			params: z.object({ id: z.string().regex(/^[\w-]{1,64}$/) }),
			responses: {
				204: { description: "It is revoked" },
				404: { description: "`token_not_found`: there is none, or it was revoked before" }
			},
			async handler({ services, identity, params, clock }) {
				if (!await services.storage.revokeToken(identity.accountId, params.id, clock())) throw new Problem(404, "token_not_found", { detail: "there is no such token that is still valid" });
				admission.forgetToken(params.id);
				return { status: 204 };
			}
		})
	];
}

// packages/server/dist/observe/logged-error.js
/** What can be said of an error without its message, for messages of databases and parsers hold what they were given. */
function loggedError(error, depth = 3) {
	if (!(error instanceof Error)) return { type: typeof error };
	const code = "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? error.code : void 0;
	const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
	return {
		type: error.name,
		...code === void 0 ? {} : { code: String(code) },
		...error instanceof StorageError ? { message: error.message } : {},
		frames: frames.slice(0, 12).map((line) => line.trim()),
		...error.cause === void 0 || depth === 0 ? {} : { cause: loggedError(error.cause, depth - 1) }
	};
}

// packages/server/dist/http/open-api.js
const INFO = Object.freeze({
	title: "d2 control plane",
	version: "1",
	description: "Signed policies, their versions, and usage events.",
	license: {
		name: "Apache-2.0",
		identifier: "Apache-2.0"
	}
});
const PROBLEM = z.object({
	type: z.string(),
	title: z.string(),
	status: z.int(),
	detail: z.string().optional(),
	code: z.string(),
	error: z.string(),
	request_id: z.string(),
	issues: z.array(z.object({
		in: z.string(),
		path: z.string(),
		message: z.string()
	})).optional()
});
function jsonSchema(schema, io) {
	const { $schema: _, ...rest } = z.toJSONSchema(schema, {
		io,
		unrepresentable: "any"
	});
	return rest;
}
function parameters(schema, place) {
	if (schema === void 0) return [];
	const { properties, required } = jsonSchema(schema, "input");
	const names = Array.isArray(required) ? required : [];
	return Object.entries(properties ?? {}).map(([name, property]) => ({
		name,
		in: place,
		required: place === "path" || names.includes(name),
		...isDescribed(property) ? { description: property.description } : {},
		schema: property
	}));
}
function isDescribed(value) {
	return typeof value === "object" && value !== null && "description" in value && typeof value.description === "string";
}
function requestBody(route) {
	if (route.rawBody === true) return { requestBody: {
		required: true,
		content: { "application/octet-stream": {} }
	} };
	if (route.body === void 0) return {};
	const schema = jsonSchema(route.body, "input");
	return { requestBody: {
		required: !route.body.safeParse(void 0).success,
		content: { "application/json": { schema } }
	} };
}
function responses(route) {
	const own = Object.entries(route.responses).map(([status, { description, schema, contentType }]) => {
		const type = contentType ?? (schema === void 0 ? void 0 : "application/json");
		if (type === void 0) return [status, { description }];
		return [status, {
			description,
			content: { [type]: schema === void 0 ? {} : { schema: jsonSchema(schema, "output") } }
		}];
	});
	return {
		...Object.fromEntries(own),
		default: {
			description: "A problem document (RFC 9457); `code` is stable.",
			content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } }
		}
	};
}
function security(access) {
	return access === "public" ? { security: [] } : { security: access.scopes.map((scope) => ({ token: [scope] })) };
}
function operation(route) {
	const given = [
		...parameters(route.params, "path"),
		...parameters(route.query, "query"),
		...parameters(route.headers, "header")
	];
	return {
		summary: route.summary,
		...route.description === void 0 ? {} : { description: route.description },
		operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^A-Za-z0-9]+/g, "_").replace(/_$/, "")}`,
		tags: [route.tag],
		...security(route.access),
		...given.length === 0 ? {} : { parameters: given },
		...requestBody(route),
		responses: responses(route)
	};
}
/** The OpenAPI 3.1 document of the routes. */
function openApiDocument(routes) {
	const paths = /* @__PURE__ */ new Map();
	for (const route of routes) {
		const methods = paths.get(route.path) ?? /* @__PURE__ */ new Map();
		paths.set(route.path, methods.set(route.method.toLowerCase(), operation(route)));
	}
	return {
		openapi: "3.1.0",
		info: INFO,
		paths: Object.fromEntries([...paths].map(([path, methods]) => [path, Object.fromEntries(methods)])),
		components: {
			securitySchemes: { token: {
				type: "http",
				scheme: "bearer",
				description: "A token; scopes as listed."
			} },
			schemas: { Problem: jsonSchema(PROBLEM, "output") }
		}
	};
}
/** `GET /v1/openapi.json` for the routes and itself. The document is made when it is first asked for. */
function openApiRoute(routes) {
	let text;
	const own = route({
		method: "GET",
		path: "/v1/openapi.json",
		summary: "This document",
		tag: "server",
		access: "public",
		responses: { 200: {
			description: "OpenAPI 3.1",
			schema: z.looseObject({})
		} },
		handler: () => {
			text ??= JSON.stringify(openApiDocument([...routes, own]));
			return {
				status: 200,
				headers: {
					"Content-Type": "application/json",
					"Cache-Control": "public, max-age=300"
				},
				body: text
			};
		}
	});
	return own;
}

// packages/server/dist/http/repeated-headers.js
/** Node keeps the first of these and leaves the others out without a word. */
const SINGLE = Object.freeze([
	"host",
	"authorization",
	"content-type"
]);
/**
* @param raw names and values, by turns
* @throws Problem 400 when a header is there twice, for a proxy in front may not agree on which one counts
*/
function refuseRepeated(raw) {
	let seen = 0;
	for (let at = 0; at < raw.length; at += 2) {
		const index = singleAt(raw[at] ?? "");
		if (index === -1) continue;
		const bit = 1 << index;
		if ((seen & bit) !== 0) throw new Problem(400, "repeated_header", { detail: "`Host`, `Authorization` and `Content-Type` may each be there once" });
		seen |= bit;
	}
}
/** Looks at the length first, for it is asked for every header of every request. */
function singleAt(name) {
	const { length } = name;
	return length === 4 || length === 13 || length === 12 ? SINGLE.indexOf(name.toLowerCase()) : -1;
}

// packages/server/dist/http/request-body.js
const MAX_DEPTH = 64;
const CLOSE = Object.freeze({ Connection: "close" });
function tooLarge(limit) {
	return new Problem(413, "body_too_large", {
		detail: `the body may have at most ${limit} bytes: send less at a time`,
		headers: CLOSE
	});
}
/**
* The body to the byte.
*
* @param limit bytes
* @param timeout milliseconds from now to the end of the body
* @throws Problem 413 beyond the limit, 408 when it takes too long, 415 when it is encoded, 400 when it breaks off
*/
function readBody(incoming, limit, timeout) {
	const encoding = incoming.headers["content-encoding"];
	if (encoding !== void 0 && encoding !== "identity") throw new Problem(415, "encoding_not_supported", { detail: "send the body without `Content-Encoding`" });
	if (Number(incoming.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
	return new Promise((resolve, reject) => {
		const chunks = [];
		let length = 0;
		const timer = setTimeout(() => {
			settle();
			reject(new Problem(408, "body_too_slow", {
				detail: "the body did not arrive in time",
				headers: CLOSE
			}));
		}, timeout);
		const onData = (chunk) => {
			length += chunk.length;
			if (length <= limit) {
				chunks.push(chunk);
				return;
			}
			settle();
			reject(tooLarge(limit));
		};
		const onEnd = () => {
			settle();
			const [first] = chunks;
			resolve(chunks.length === 1 && first !== void 0 ? first : Buffer.concat(chunks, length));
		};
		const onBreak = () => {
			settle();
			reject(new Problem(400, "body_incomplete", {
				detail: "the body broke off",
				headers: CLOSE
			}));
		};
		const settle = () => {
			clearTimeout(timer);
			incoming.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak);
			incoming.on("error", () => void 0);
			incoming.pause();
		};
		incoming.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak);
	});
}
/**
* The value of a JSON body; undefined: the body is empty.
*
* @throws Problem 415 when the content type is another one, 400 when the text is not JSON in UTF-8 or nests too deep
*/
function parseJson(bytes, contentType) {
	if (bytes.length === 0) return void 0;
	if (contentType !== void 0 && !/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType)) throw new Problem(415, "json_expected", { detail: "send the body as `application/json`" });
	if (deeperThan(bytes, MAX_DEPTH)) throw new Problem(400, "json_too_deep", { detail: `lists and objects may be nested at most ${MAX_DEPTH} deep` });
	try {
		return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch {
		throw new Problem(400, "json_invalid", { detail: "the body is not JSON in UTF-8" });
	}
}
/** Counts brackets outside of texts; for input that is not JSON the answer means nothing. */
function deeperThan(bytes, limit) {
	let depth = 0;
	let inText = false;
	for (let at = 0; at < bytes.length; at++) {
		const byte = bytes[at];
		if (inText) {
			if (byte === 92) at++;
			else if (byte === 34) inText = false;
		} else if (byte === 34) inText = true;
		else if (byte === 91 || byte === 123) {
			depth++;
			if (depth > limit) return true;
		} else if (byte === 93 || byte === 125) depth--;
	}
	return false;
}

// packages/server/dist/http/response.js
/** On every answer. Whatever is served is data for programs, of nobody else's concern, and never a page. */
const SECURITY_HEADERS = Object.freeze({
	"X-Content-Type-Options": "nosniff",
	"X-Frame-Options": "DENY",
	"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	"Referrer-Policy": "no-referrer",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control": "no-store"
});
const HSTS = Object.freeze({ "Strict-Transport-Security": "max-age=31536000" });
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** How answers become responses. `encrypted`: TLS is spoken here. `closing`: connections are not kept any more. */
var ResponseWriter = class {
	#always;
	#closing;
	constructor(encrypted, closing) {
		this.#always = encrypted ? {
			...SECURITY_HEADERS,
			...HSTS
		} : SECURITY_HEADERS;
		this.#closing = closing;
	}
	/** @throws Error when a handler made a header that cannot be sent */
	answer({ status, headers, body }, requestId) {
		const all = status === 304 ? {
			"Cache-Control": "no-store",
			"X-Request-Id": requestId
		} : {
			...this.#always,
			"X-Request-Id": requestId
		};
		if (body !== void 0 && typeof body === "object" && !(body instanceof Uint8Array)) all["Content-Type"] = "application/json";
		for (const name in headers) {
			const value = headers[name];
			if (value === void 0) continue;
			if (!HEADER_VALUE.test(value)) throw new Error(`the header \`${name}\` cannot be sent`);
			all[name] = value;
		}
		if (this.#closing()) all["Connection"] = "close";
		return new Response(payload(body), {
			status,
			headers: all
		});
	}
	problem(problem, requestId) {
		return this.answer({
			status: problem.status,
			headers: {
				...problem.headers,
				"Content-Type": "application/problem+json"
			},
			body: JSON.stringify({
				...problem.document(),
				request_id: requestId
			})
		}, requestId);
	}
};
function payload(body) {
	if (body === void 0) return null;
	if (typeof body === "string") return body;
	if (!(body instanceof Uint8Array)) return JSON.stringify(body);
	return body.buffer instanceof ArrayBuffer ? new Uint8Array(body.buffer, body.byteOffset, body.length) : body.slice();
}

// packages/server/dist/http/route-table.js
/** Tells a path that does not exist from a method that a path does not have. */
var RouteTable = class {
	#rows;
	/** @throws Error when two routes have the same method and path */
	constructor(routes) {
		const seen = /* @__PURE__ */ new Set();
		this.#rows = routes.map(({ method, path }) => {
			const shape = `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`;
			if (seen.has(shape)) throw new Error(`there are two routes \`${shape}\``);
			seen.add(shape);
			const parts = path.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^$()[\]\\|]/g, "\\$&"));
			return {
				method,
				path: new RegExp(`^${parts.join("[^/]+")}$`)
			};
		});
	}
	/** What to answer where no route did. */
	refusal(path) {
		const methods = this.#rows.filter((row) => row.path.test(path)).map(({ method }) => method);
		if (methods.length === 0) return new Problem(404, "not_found", { detail: "there is nothing at this address" });
		if (methods.includes("GET")) methods.push("HEAD");
		return new Problem(405, "method_not_allowed", {
			detail: "this address has other methods: see `Allow`",
			headers: { Allow: methods.sort().join(", ") }
		});
	}
};

// packages/server/dist/http/app.js
const REQUEST_ID = /^[\w.:-]{1,128}$/;
const NO_BYTES = /* @__PURE__ */ new Uint8Array();
/** Serves the routes, and the OpenAPI document of them at `/v1/openapi.json`. */
function createApp(options) {
	const { services, admission } = options;
	const routes = [...options.routes, openApiRoute(options.routes)];
	const table = new RouteTable(routes);
	const app = new App(services, admission);
	const hono = new Hono();
	for (const route of routes) hono.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ":$1"), (context) => app.serve(route, context));
	hono.onError((error, context) => app.failed(error, context));
	hono.notFound((context) => app.refuse(table, context));
	return hono;
}
var App = class {
	#services;
	#admission;
	#addresses;
	#writer;
	constructor(services, admission) {
		this.#services = services;
		this.#admission = admission;
		this.#addresses = new ClientAddress(services.settings.trustedProxies);
		this.#writer = new ResponseWriter(services.settings.tlsCert !== void 0, services.closing);
	}
	/** Answers at once where nothing has to be waited for: most bundle reads. */
	serve(route, context) {
		const { incoming } = context.env;
		const exchange = this.#exchange(incoming, route.path, route.logLevel ?? "info");
		try {
			refuseRepeated(incoming.rawHeaders);
			const address = this.#addresses.of(incoming);
			const identity = this.#admission.admit(route.access, incoming, address);
			const answer = identity instanceof Promise || route.body !== void 0 || route.rawBody === true ? this.#later(route, context, exchange, address, identity) : this.#run(route, context, exchange, address, identity, void 0);
			if (!(answer instanceof Promise)) return this.#finish(exchange, answer);
			return answer.then((given) => this.#finish(exchange, given), (error) => this.#fail(exchange, error));
		} catch (error) {
			return this.#fail(exchange, error);
		}
	}
	/** What no route answers. */
	refuse(table, context) {
		const { incoming } = context.env;
		const exchange = this.#exchange(incoming, "none", "info");
		try {
			this.#admission.admitAddress(this.#addresses.of(incoming));
			throw table.refusal(context.req.path);
		} catch (error) {
			return this.#fail(exchange, error);
		}
	}
	/** What went wrong outside of every route. */
	failed(error, context) {
		return this.#fail(this.#exchange(context.env.incoming, "none", "info"), error);
	}
	#exchange(incoming, route, level) {
		const given = incoming.headers["x-request-id"];
		return {
			requestId: typeof given === "string" && REQUEST_ID.test(given) ? given : this.#newId(),
			route,
			method: incoming.method ?? "",
			level,
			begun: this.#services.monotonic(),
			identity: void 0
		};
	}
	#newId() {
		return Buffer.from(this.#services.randomBytes(12)).toString("base64url");
	}
	async #later(route, context, exchange, address, admitted) {
		const identity = await admitted;
		exchange.identity = identity;
		if (route.body === void 0 && route.rawBody !== true) return this.#run(route, context, exchange, address, identity, void 0);
		const { settings } = this.#services;
		const { incoming } = context.env;
		const bytes = await readBody(incoming, route.bodyLimit ?? settings.bodyLimit, settings.bodyTimeout);
		return this.#run(route, context, exchange, address, identity, bytes);
	}
	#run(route, context, exchange, address, identity, bytes) {
		const { incoming } = context.env;
		exchange.identity = identity;
		const facts = {
			services: this.#services,
			clock: this.#services.clock,
			requestId: exchange.requestId,
			rawHeaders: incoming.headers,
			address
		};
		const asJson = bytes !== void 0 && route.body !== void 0;
		const parts = {
			params: route.params === void 0 ? {} : context.req.param(),
			query: queryOf(incoming.url ?? ""),
			body: asJson ? parseJson(bytes, incoming.headers["content-type"]) : void 0,
			bytes: bytes ?? NO_BYTES
		};
		return route.run(facts, identity, parts);
	}
	#finish(exchange, answer) {
		let response;
		try {
			response = this.#writer.answer(answer, exchange.requestId);
		} catch (error) {
			return this.#fail(exchange, error);
		}
		this.#record(exchange, answer.status);
		return response;
	}
	#fail(exchange, error) {
		const problem = problemOf(error);
		if (problem.status >= 500) this.#services.logger.error({
			requestId: exchange.requestId,
			route: exchange.route,
			error: loggedError(error)
		}, "a request failed");
		this.#record(exchange, problem.status, problem.code);
		return this.#writer.problem(problem, exchange.requestId);
	}
	#record({ requestId, route, method, level, begun, identity }, status, code) {
		const { metrics, logger, monotonic } = this.#services;
		const spent = monotonic() - begun;
		metrics.requests.add(1, route, String(status));
		metrics.latency.observe(spent / 1e3, route);
		const quiet = status === 304 || level === "debug" && status < 400;
		if (!logger.isLevelEnabled(quiet ? "debug" : "info")) return;
		const line = {
			requestId,
			method,
			route,
			status,
			ms: Math.round(spent * 1e3) / 1e3,
			...code === void 0 ? {} : { code },
			...identity === void 0 ? {} : { account: identity.accountId },
			...identity === void 0 || identity.appId === null ? {} : { app: identity.appId }
		};
		if (quiet) logger.debug(line, "request");
		else logger.info(line, "request");
	}
};
/** For requests that do not even reach a route, such as those without `Host`. */
function unreadableRequest() {
	const problem = new Problem(400, "request_invalid", { detail: "the request line or its headers are not valid" });
	return new Response(JSON.stringify(problem.document()), {
		status: problem.status,
		headers: {
			...SECURITY_HEADERS,
			"Content-Type": "application/problem+json",
			Connection: "close"
		}
	});
}

// packages/server/dist/http/listener.js
/** How long a connection may wait for its next request, longer than the usual 60 s of balancers. */
const KEEP_ALIVE = 65e3;
/** How long nothing at all may happen on a connection. */
const SILENCE = 12e4;
/** The socket side: opens the port, keeps to the limits, and drains at the end. */
var Listener = class Listener {
	#server;
	#drainTimeout;
	url;
	constructor(server, settings) {
		this.#server = server;
		this.#drainTimeout = settings.drainTimeout;
		const address = server.address();
		const port = typeof address === "object" && address !== null ? address.port : settings.port;
		const host = isIPv6(settings.host) ? `[${settings.host}]` : settings.host;
		this.url = `${settings.tlsCert === void 0 ? "http" : "https"}://${host}:${port}`;
	}
	/** @throws Error of the system when the port or the certificate cannot be used */
	static async open(app, settings, logger) {
		const server = newServer(requestListener(app, logger), settings);
		server.on("clientError", refuse);
		await new Promise((resolve, reject) => {
			server.once("error", reject);
			server.listen(settings.port, settings.host, () => {
				server.off("error", reject);
				resolve();
			});
		});
		return new Listener(server, settings);
	}
	/** Takes no more connections, and waits for running requests; those that are not done in time are cut off. */
	async close() {
		await new Promise((resolve) => {
			const deadline = setTimeout(() => this.#server.closeAllConnections(), this.#drainTimeout);
			this.#server.close(() => {
				clearTimeout(deadline);
				resolve();
			});
			this.#server.closeIdleConnections();
		});
	}
};
function requestListener(app, logger) {
	const listener = getRequestListener((request, bindings) => {
		return app.fetch(request, bindings);
	}, { errorHandler: () => unreadableRequest() });
	return (incoming, outgoing) => {
		listener(incoming, outgoing).catch((error) => {
			logger.error({ error: loggedError(error) }, "an answer could not be sent");
			outgoing.destroy();
		});
	};
}
function newServer(listener, settings) {
	const options = {
		maxHeaderSize: settings.headerLimit,
		headersTimeout: settings.headerTimeout,
		requestTimeout: settings.headerTimeout + settings.bodyTimeout + 1e3,
		keepAliveTimeout: KEEP_ALIVE,
		connectionsCheckingInterval: Math.min(1e3, settings.headerTimeout)
	};
	const server = settings.tlsCert === void 0 || settings.tlsKey === void 0 ? createServer(options, listener) : createServer$1({
		...options,
		minVersion: "TLSv1.2",
		cert: readFileSync(settings.tlsCert),
		key: readFileSync(settings.tlsKey)
	}, listener);
	server.maxConnections = settings.maxConnections;
	server.maxHeadersCount = 0;
	server.timeout = SILENCE;
	return server;
}
function protocolProblem(error) {
	switch (error.code) {
		case "HPE_HEADER_OVERFLOW": return new Problem(431, "headers_too_large", { detail: "address and headers are too large together" });
		case "ERR_HTTP_REQUEST_TIMEOUT": return new Problem(408, "request_too_slow", { detail: "the request did not arrive in time" });
	}
	return new Problem(400, "request_invalid", { detail: "this is not HTTP/1.1" });
}
/** What cannot be read as a request never gets to the routes. */
function refuse(error, socket) {
	if (error.code === "ECONNRESET" || !socket.writable) {
		socket.destroy();
		return;
	}
	const problem = protocolProblem(error);
	const body = JSON.stringify(problem.document());
	socket.end([
		`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
		...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
		"Content-Type: application/problem+json",
		`Content-Length: ${Buffer.byteLength(body)}`,
		"Connection: close",
		"",
		body
	].join("\r\n"));
}

// packages/server/dist/observe/health-routes.js
const PATIENCE = 2e3;
/** Whether the database answers in time, with the right schema. */
function databaseReady({ storage }) {
	return new Promise((resolve) => {
		const timer = setTimeout(() => resolve(false), PATIENCE);
		const settle = (ready) => {
			clearTimeout(timer);
			resolve(ready);
		};
		storage.ready().then(settle, () => settle(false));
	});
}
/** `GET /v1/healthz` (the process answers) and `GET /v1/readyz` (it can do its work). */
const healthRoutes = [route({
	method: "GET",
	path: "/v1/healthz",
	summary: "Whether the process answers",
	tag: "server",
	access: "public",
	logLevel: "debug",
	responses: { 200: {
		description: "It does",
		schema: z.object({ status: z.literal("ok") })
	} },
	handler: () => ({
		status: 200,
		body: { status: "ok" }
	})
}), route({
	method: "GET",
	path: "/v1/readyz",
	summary: "Whether database, schema and signing key are there",
	tag: "server",
	access: "public",
	logLevel: "debug",
	responses: {
		200: {
			description: "Ready",
			schema: z.object({
				status: z.literal("ready"),
				checks: z.record(z.string(), z.boolean())
			})
		},
		503: { description: "`not_ready`: `checks` tells what is missing" }
	},
	async handler({ services }) {
		const checks = {
			database: await databaseReady(services),
			signing_key: services.signing.ready(),
			accepting: !services.closing()
		};
		if (Object.values(checks).includes(false)) throw new Problem(503, "not_ready", {
			members: { checks },
			headers: { "Retry-After": "1" }
		});
		return {
			status: 200,
			body: {
				status: "ready",
				checks
			}
		};
	}
})];

// packages/server/dist/observe/registry.js
const SEPARATOR = "\0";
function escapedLabel(value) {
	return value.replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("\n", "\\n");
}
function labelText(names, key, extra = "") {
	const values = key.split(SEPARATOR);
	const pairs = names.map((name, at) => `${name}="${escapedLabel(values[at] ?? "")}"`);
	if (extra !== "") pairs.push(extra);
	return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
function heading(name, help, type) {
	return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
/** A number that only grows, one for each combination of label values. */
var Counter = class {
	name;
	#help;
	#labels;
	#values = /* @__PURE__ */ new Map();
	constructor(name, help, labels) {
		this.name = name;
		this.#help = help;
		this.#labels = labels;
		if (labels.length === 0) this.#values.set("", 0);
	}
	/** @param labels values in the order of the label names; never anything that a caller can choose freely */
	add(amount, ...labels) {
		const key = labels.join(SEPARATOR);
		this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
	}
	value(...labels) {
		return this.#values.get(labels.join(SEPARATOR)) ?? 0;
	}
	lines() {
		return [...heading(this.name, this.#help, "counter"), ...[...this.#values].map(([key, value]) => `${this.name}${labelText(this.#labels, key)} ${value}`)];
	}
};
/** A number that is asked for when the page is written. */
var Gauge = class {
	name;
	#help;
	#read;
	constructor(name, help, read) {
		this.name = name;
		this.#help = help;
		this.#read = read;
	}
	lines() {
		return [...heading(this.name, this.#help, "gauge"), `${this.name} ${this.#read()}`];
	}
};
/** How values are spread over buckets. */
var Histogram = class {
	name;
	#help;
	#labels;
	#bounds;
	#values = /* @__PURE__ */ new Map();
	constructor(name, help, labels, bounds) {
		this.name = name;
		this.#help = help;
		this.#labels = labels;
		this.#bounds = bounds;
	}
	observe(value, ...labels) {
		const key = labels.join(SEPARATOR);
		let distribution = this.#values.get(key);
		if (distribution === void 0) {
			distribution = {
				counts: [...this.#bounds, 0].map(() => 0),
				sum: 0
			};
			this.#values.set(key, distribution);
		}
		let at = 0;
		while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
		distribution.counts[at] = (distribution.counts[at] ?? 0) + 1;
		distribution.sum += value;
	}
	lines() {
		const lines = heading(this.name, this.#help, "histogram");
		for (const [key, { counts, sum }] of this.#values) {
			let total = 0;
			counts.forEach((count, at) => {
				total += count;
				const bound = this.#bounds[at] ?? "+Inf";
				lines.push(`${this.name}_bucket${labelText(this.#labels, key, `le="${bound}"`)} ${total}`);
			});
			lines.push(`${this.name}_sum${labelText(this.#labels, key)} ${sum}`);
			lines.push(`${this.name}_count${labelText(this.#labels, key)} ${total}`);
		}
		return lines;
	}
};
/** Makes metrics and writes them all. Names are unique; a name that is there already gives the metric there. */
var Registry = class {
	#metrics = /* @__PURE__ */ new Map();
	counter(name, help, labels = []) {
		return this.#add(new Counter(name, help, labels), Counter);
	}
	histogram(name, help, labels, bounds) {
		return this.#add(new Histogram(name, help, labels, bounds), Histogram);
	}
	gauge(name, help, read) {
		this.#add(new Gauge(name, help, read), Gauge);
	}
	/** The whole page. */
	text() {
		return `${[...this.#metrics.values()].flatMap((metric) => metric.lines()).join("\n")}\n`;
	}
	#add(metric, kind) {
		const there = this.#metrics.get(metric.name);
		if (there instanceof kind) return there;
		if (there !== void 0) throw new Error(`the metric \`${metric.name}\` is there already, of another kind`);
		this.#metrics.set(metric.name, metric);
		return metric;
	}
};

// packages/server/dist/observe/metrics.js
const LATENCY_SECONDS = [
	5e-4,
	.001,
	.0025,
	.005,
	.01,
	.025,
	.05,
	.1,
	.25,
	.5,
	1,
	2.5,
	5,
	10
];
/** @param started when the process began, milliseconds */
function createMetrics(started) {
	const registry = new Registry();
	registry.gauge("process_start_time_seconds", "When the server began, in Unix time.", () => started / 1e3);
	registry.gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
	registry.gauge("nodejs_heap_used_bytes", "Used heap.", () => process.memoryUsage().heapUsed);
	return {
		registry,
		requests: registry.counter("d2_http_requests_total", "Answered requests.", ["route", "status"]),
		latency: registry.histogram("d2_http_request_seconds", "Time from the request's headers to its answer.", ["route"], LATENCY_SECONDS),
		eventsAccepted: registry.counter("d2_events_accepted_total", "Usage events that were stored."),
		bundleAnswers: registry.counter("d2_bundle_answers_total", "Answers to bundle reads.", ["status"]),
		rateLimited: registry.counter("d2_rate_limited_total", "Requests refused for their rate.", ["limit"]),
		authenticationFailures: registry.counter("d2_authentication_failures_total", "Requests without a valid token.")
	};
}

// packages/server/dist/observe/metrics-route.js
const DESCRIPTION = {
	method: "GET",
	path: "/metrics",
	summary: "Metrics in the Prometheus text format",
	tag: "server",
	logLevel: "debug",
	responses: { 200: {
		description: "The metrics",
		contentType: "text/plain"
	} }
};
function page({ services }) {
	return {
		status: 200,
		headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
		body: services.metrics.registry.text()
	};
}
/** `GET /metrics`, for anybody, or with the scope `metrics.read`. */
function metricsRoute(needsToken) {
	return needsToken ? route({
		...DESCRIPTION,
		access: { scopes: ["metrics.read"] },
		handler: page
	}) : route({
		...DESCRIPTION,
		access: "public",
		handler: page
	});
}

// packages/server/dist/settings.js
const whole = (least, most = Number.MAX_SAFE_INTEGER) => z.coerce.number().int().min(least).max(most);
const flag = z.union([z.boolean(), z.enum([
	"true",
	"false",
	"1",
	"0"
])]).transform((it) => it === true || it === "true" || it === "1");
const addresses = z.union([z.array(z.string()), z.string().transform((text) => text.split(",").map((part) => part.trim()))]).transform((list) => list.filter((part) => part !== "")).refine(areNetworks, "must be addresses or networks such as `10.0.0.0/8`, with commas between");
function areNetworks(entries) {
	try {
		trustedNetworks(entries);
		return true;
	} catch {
		return false;
	}
}
const plan = z.strictObject({
	/** Apps an account may have. */
	max_apps: whole(0).optional(),
	/** Tools a policy may name. */
	max_tools: whole(0).optional(),
	event_batch: whole(1, 1e3).optional(),
	/** Seconds between two batches of events. */
	ingest_interval: whole(1, 86400).optional(),
	poll_seconds: whole(1, 3600).optional(),
	/** Share of events that clients send, by type. */
	event_sample: z.record(z.string(), z.number().min(0).max(1)).optional()
});
const plans = z.union([z.record(z.string(), plan), z.string().transform((text, context) => {
	try {
		return z.record(z.string(), plan).parse(JSON.parse(text));
	} catch {
		context.addIssue({
			code: "custom",
			message: "must be a JSON object of plans by name"
		});
		return z.NEVER;
	}
})]);
const schema = z.object({
	host: z.string().min(1).default("127.0.0.1"),
	/** 0: any free one. */
	port: whole(0, 65535).default(8420),
	/** `postgres://...`; without it SQLite in `dataFolder`. */
	databaseUrl: z.string().regex(/^postgres(ql)?:\/\//, "must begin with postgres:// or postgresql://").optional(),
	dataFolder: z.string().min(1).default("d2-data"),
	/** File of the SQLite database. Default: `d2.sqlite` in `dataFolder`; `:memory:` for tests. */
	databaseFile: z.string().min(1).optional(),
	/** Base64 of the 32 bytes that encrypt signing keys; without it the file `server.key` in `dataFolder`. */
	serverKey: z.string().optional(),
	/** Bring the schema up to date at start. */
	migrate: flag.default(true),
	tlsCert: z.string().min(1).optional(),
	tlsKey: z.string().min(1).optional(),
	/** Addresses or networks whose `X-Forwarded-For` is believed. */
	trustedProxies: addresses.default([]),
	logLevel: z.enum([
		"trace",
		"debug",
		"info",
		"warn",
		"error",
		"fatal",
		"silent"
	]).default("info"),
	/** `/metrics` asks for a token with the scope `metrics.read`. */
	metricsNeedToken: flag.default(false),
	/** Bytes of a body, where a route does not say otherwise. */
	bodyLimit: whole(1024).default(1048576),
	/** Bytes of the request line and all headers. */
	headerLimit: whole(1024).default(16384),
	/** Milliseconds from the headers to the end of the body. */
	bodyTimeout: whole(1).default(1e4),
	/** Milliseconds from the connection to the end of the headers. */
	headerTimeout: whole(1).default(1e4),
	/** Connections at once. */
	maxConnections: whole(1).default(1e4),
	/** Milliseconds that running requests have once the server is told to stop. */
	drainTimeout: whole(0).default(1e4),
	/** Requests a second from one address, with as many more at once; 0: no limit. */
	rateByAddress: whole(0).default(2e3),
	/** Requests a second with one token, with as many more at once; 0: no limit. */
	rateByToken: whole(0).default(2e3),
	/** Requests a minute without a valid token from one address; 0: no limit. */
	failedAuthentications: whole(0).default(60),
	/** Milliseconds between two writes of the tokens' last uses. */
	touchInterval: whole(1).default(3e4),
	pollSeconds: whole(1, 3600).default(60),
	/** Seconds that a bundle is valid; 0: without end. */
	bundleLifetimeSeconds: whole(0).default(604800),
	signingAlgorithm: z.enum(["RS256", "EdDSA"]).default("RS256"),
	/** Seconds between the listing of a new key and its first signature. */
	rotationLeadSeconds: whole(0).default(600),
	/** Days that events are kept; 0: for ever. */
	eventRetentionDays: whole(0).default(30),
	/** Events that wait to be stored, at most; beyond it 429. */
	eventQueueLimit: whole(1).default(5e4),
	/** By name. An account whose plan is not listed has no limits. */
	plans: plans.default({})
});
/** Environment variable of each setting that has one. */
const ENVIRONMENT = Object.freeze({
	D2_SERVER_HOST: "host",
	D2_SERVER_PORT: "port",
	DATABASE_URL: "databaseUrl",
	D2_SERVER_DATA: "dataFolder",
	D2_SERVER_DATABASE_FILE: "databaseFile",
	D2_SERVER_KEY: "serverKey",
	D2_SERVER_MIGRATE: "migrate",
	D2_SERVER_TLS_CERT: "tlsCert",
	D2_SERVER_TLS_KEY: "tlsKey",
	D2_SERVER_TRUSTED_PROXIES: "trustedProxies",
	D2_SERVER_LOG_LEVEL: "logLevel",
	D2_SERVER_METRICS_NEED_TOKEN: "metricsNeedToken",
	D2_SERVER_BODY_LIMIT: "bodyLimit",
	D2_SERVER_HEADER_LIMIT: "headerLimit",
	D2_SERVER_BODY_TIMEOUT: "bodyTimeout",
	D2_SERVER_HEADER_TIMEOUT: "headerTimeout",
	D2_SERVER_MAX_CONNECTIONS: "maxConnections",
	D2_SERVER_DRAIN_TIMEOUT: "drainTimeout",
	D2_SERVER_RATE_BY_ADDRESS: "rateByAddress",
	D2_SERVER_RATE_BY_TOKEN: "rateByToken",
	D2_SERVER_FAILED_AUTHENTICATIONS: "failedAuthentications",
	D2_SERVER_TOUCH_INTERVAL: "touchInterval",
	D2_SERVER_POLL_SECONDS: "pollSeconds",
	D2_SERVER_BUNDLE_LIFETIME_SECONDS: "bundleLifetimeSeconds",
	D2_SERVER_SIGNING_ALGORITHM: "signingAlgorithm",
	D2_SERVER_ROTATION_LEAD_SECONDS: "rotationLeadSeconds",
	D2_SERVER_EVENT_RETENTION_DAYS: "eventRetentionDays",
	D2_SERVER_EVENT_QUEUE_LIMIT: "eventQueueLimit",
	D2_SERVER_PLANS: "plans"
});
/** A setting that cannot be used. The message lists all of them, and no values. */
var SettingsError = class extends Error {
	name = "SettingsError";
	code = "settings_invalid";
};
/** @throws SettingsError */
function createSettings(input = {}) {
	const result = schema.safeParse(input);
	if (!result.success) {
		const lines = result.error.issues.map(({ path, message }) => `  ${shownName(path)}: ${message}`);
		throw new SettingsError(["these settings cannot be used:", ...new Set(lines)].join("\n"));
	}
	const { data } = result;
	if (data.tlsCert === void 0 !== (data.tlsKey === void 0)) throw new SettingsError("`--tls-cert` and `--tls-key` belong together: give both, or none");
	return Object.freeze({
		...data,
		databaseFile: data.databaseFile ?? join(data.dataFolder, "d2.sqlite")
	});
}
/**
* Settings from the environment, with those of the command line over them. Empty variables count as not set.
*
* @throws SettingsError
*/
function readSettings(environment, flags = {}) {
	const given = Object.entries(ENVIRONMENT).flatMap(([variable, name]) => {
		const value = environment[variable];
		return value === void 0 || value === "" ? [] : [[name, value]];
	});
	const chosen = Object.entries(flags).filter(([, value]) => value !== void 0);
	return createSettings(Object.fromEntries([...given, ...chosen]));
}
function shownName(path) {
	const [name, ...rest] = path.map(String);
	return [`\`${Object.entries(ENVIRONMENT).find(([, setting]) => setting === name)?.[0] ?? name}\``, ...rest].join(" ");
}

// packages/server/dist/admin/account-plans.js
const LIMIT$1 = 2e4;
/** The plans of accounts, in memory, for what is asked all the time. */
var AccountPlans = class {
	#storage;
	#settings;
	#plans = /* @__PURE__ */ new Map();
	#stop;
	#changes = 0;
	constructor({ storage, settings }) {
		this.#storage = storage;
		this.#settings = settings;
		this.#stop = storage.watch((change) => {
			if (change.kind !== "account") return;
			this.#changes++;
			this.#plans.delete(change.id);
		});
	}
	close() {
		this.#stop();
	}
	/** The limits of the account's plan; none where there is no such account. */
	async of(accountId) {
		return this.#plans.get(accountId) ?? this.#read(accountId);
	}
	async #read(accountId) {
		const changes = this.#changes;
		const account = await this.#storage.account(accountId);
		const plan = planNamed(this.#settings, account?.plan ?? "");
		if (this.#plans.size >= LIMIT$1) this.#plans.clear();
		if (account !== void 0 && changes === this.#changes) this.#plans.set(accountId, plan);
		return plan;
	}
};

// packages/server/dist/bundles/app-names.js
const LIMIT = 2e4;
/** Finds apps by their names. The id of a name is kept in memory: apps are neither renamed nor removed. */
var AppNames = class {
	#storage;
	#ids = /* @__PURE__ */ new Map();
	constructor(storage) {
		this.#storage = storage;
	}
	/** @throws Problem 404 where the account has no such app */
	async idOf(accountId, name) {
		const key = `${accountId} ${name}`;
		const known = this.#ids.get(key);
		if (known !== void 0) return known;
		const app = await this.#storage.appByName(accountId, name);
		if (app === void 0) throw appNotFound();
		if (this.#ids.size >= LIMIT) this.#ids.clear();
		this.#ids.set(key, app.id);
		return app.id;
	}
	/**
	* The app that a tool's request is about.
	*
	* @throws Problem 403 for tokens of running apps, which have nothing to do here; 404 without a name, and where the account
	* has no such app
	*/
	async forTools(identity, name) {
		refuseRuntime(identity);
		if (name === void 0) throw nameRequired();
		const app = await this.#storage.appByName(identity.accountId, name);
		if (app === void 0) throw appNotFound();
		return app;
	}
};
/** @throws Problem 403 */
function refuseRuntime({ kind }) {
	if (kind !== "runtime") return;
	throw new Problem(403, "token_kind", { detail: "a runtime token reads the published policy and sends events: use a developer token" });
}
function nameRequired() {
	return new Problem(404, "app_name_required", { detail: "app_name required for non-server tokens" });
}
function appNotFound() {
	return new Problem(404, "app_not_found", { detail: "the account has no app of this name" });
}

// packages/server/dist/events/instant-text.js
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;
/** A time in ISO 8601 with its offset, as milliseconds since 1970. */
const INSTANT = z.string().regex(TIME).transform((text, context) => {
	const instant = Date.parse(text);
	if (!Number.isNaN(instant)) return instant;
	context.addIssue({
		code: "custom",
		message: "must be a time that exists"
	});
	return z.NEVER;
}).describe("ISO 8601 with offset, such as `2027-01-31T00:00:00Z`");

// packages/server/dist/events/event-routes.js
const DAY$1 = 864e5;
const MAX_SPAN = 92 * DAY$1;
const EVENT = z.object({
	id: z.string(),
	app_id: z.string(),
	app_name: z.string(),
	event_type: z.string(),
	occurred_at: z.string(),
	received_at: z.string(),
	payload: z.looseObject({})
});
const ROLLUP = z.object({
	app_id: z.string(),
	app_name: z.string(),
	hour: z.string().describe("Its beginning"),
	tool_id: z.string(),
	result: z.string(),
	reason: z.string().describe("Empty: none"),
	count: z.int()
});
const word = z.string().max(256).optional();
async function appNames(storage, accountId) {
	const apps = await storage.apps(accountId);
	return new Map(apps.map((app) => [app.id, app.name]));
}
function shown$1(event, names) {
	return {
		id: event.id,
		app_id: event.appId,
		app_name: names.get(event.appId) ?? "",
		event_type: event.type,
		occurred_at: instant(event.occurredAt),
		received_at: instant(event.receivedAt),
		payload: JSON.parse(event.payload)
	};
}
/** `GET /v1/events` and `GET /v1/events/rollups`. */
function eventRoutes(names) {
	return [route({
		method: "GET",
		path: "/v1/events",
		summary: "The account's usage events",
		tag: "events",
		access: { scopes: ["metrics.read"] },
		query: z.object({
			app_name: APP_NAME.optional(),
			from: INSTANT.optional().describe("Events that occurred from then on"),
			to: INSTANT.optional().describe("and before then"),
			type: word,
			tool: word,
			user: word,
			result: word,
			reason: word,
			order: z.enum(["newest", "oldest"]).default("newest").describe("By arrival"),
			cursor: z.string().regex(/^\d{1,15}$/).optional().describe("`next_cursor` of the page before; with `oldest` also to go on later"),
			limit: z.coerce.number().int().min(1).max(1e3).default(100)
		}),
		responses: {
			200: {
				description: "A page",
				schema: z.object({
					events: z.array(EVENT),
					next_cursor: z.string().nullable().describe("null: there are no more")
				})
			},
			404: { description: "`app_not_found`" }
		},
		async handler({ services, identity, query }) {
			const { storage } = services;
			const { accountId } = identity;
			const { app_name: appName, cursor, ...filters } = query;
			const appId = appName === void 0 ? void 0 : await names.idOf(accountId, appName);
			const events = await storage.events({
				...filters,
				accountId,
				appId,
				after: cursor
			});
			const last = events.at(-1)?.id;
			const full = events.length === query.limit;
			const next = query.order === "oldest" ? last ?? cursor : full ? last : void 0;
			const known = await appNames(storage, accountId);
			return {
				status: 200,
				body: {
					events: events.map((event) => shown$1(event, known)),
					next_cursor: next ?? null
				}
			};
		}
	}), route({
		method: "GET",
		path: "/v1/events/rollups",
		summary: "How often what happened, by hour",
		description: "Only events with a result are counted. Counts stay when events are removed.",
		tag: "events",
		access: { scopes: ["metrics.read"] },
		query: z.object({
			app_name: APP_NAME.optional(),
			from: INSTANT.optional().describe("Default: a day before `to`"),
			to: INSTANT.optional().describe("Default: now")
		}),
		responses: {
			200: {
				description: "By hour, app, tool, result and reason",
				schema: z.object({ rollups: z.array(ROLLUP) })
			},
			404: { description: "`app_not_found`" }
		},
		async handler({ services, identity, query, clock }) {
			const { storage } = services;
			const { accountId } = identity;
			const to = query.to ?? clock();
			const from = query.from ?? to - DAY$1;
			if (to - from > MAX_SPAN) throw new Problem(400, "span_too_long", { detail: "ask for at most 92 days at a time" });
			const appId = query.app_name === void 0 ? void 0 : await names.idOf(accountId, query.app_name);
			const rollups = await storage.rollups({
				accountId,
				appId,
				from,
				to
			});
			const known = await appNames(storage, accountId);
			return {
				status: 200,
				body: { rollups: rollups.map((rollup) => ({
					app_id: rollup.appId,
					app_name: known.get(rollup.appId) ?? "",
					hour: instant(rollup.hour),
					tool_id: rollup.tool,
					result: rollup.result,
					reason: rollup.reason,
					count: rollup.count
				})) }
			};
		}
	})];
}

// packages/server/dist/events/ingest-queue.js
/** What is stored in one transaction at most, beyond its first batch. */
const GROUP_BATCHES = 64;
const GROUP_WEIGHT = Number(process.env.EXP_G ?? 2000);
/** Transactions at once. SQLite has one writer; on PostgreSQL those of different accounts go on side by side. */
const WRITERS = {
	sqlite: 1,
	postgres: Number(process.env.EXP_W ?? 4)
};
/**
* Batches on their way to the database, in bounded memory. Small ones that wait at the same time are stored together.
*
* INVARIANT: `add` resolves only once the batch is on disk.
*/
var IngestQueue = class {
	#services;
	#waiting = [];
	#weight = 0;
	#writers = 0;
	#idle = [];
	constructor(services) {
		this.#services = services;
		services.metrics.registry.gauge("d2_events_waiting", "Usage events that wait to be stored; a large one counts once a KiB.", () => this.#weight);
	}
	/** @throws Problem 429 when too much is waiting; StorageError */
	add(batch) {
		const weight = weightOf(batch);
		if (this.#weight > 0 && this.#weight + weight > this.#services.settings.eventQueueLimit) throw new Problem(429, "ingest_overloaded", {
			detail: "too many events are waiting to be stored: send them again later",
			headers: retryAfter(1e3)
		});
		this.#weight += weight;
		return new Promise((resolve, reject) => {
			this.#waiting.push({
				batch,
				weight,
				resolve,
				reject
			});
			if (this.#writers < WRITERS[this.#services.storage.database]) this.#write();
		});
	}
	/** Settles when everything that waits is stored. */
	async close() {
		while (this.#writers > 0) await new Promise((resolve) => this.#idle.push(resolve));
	}
	async #write() {
		this.#writers++;
		await Promise.resolve();
		for (let group = this.#take(); group.length > 0; group = this.#take()) {
			await this.#store(group);
			for (const { weight } of group) this.#weight -= weight;
		}
		this.#writers--;
		const idle = this.#idle;
		this.#idle = [];
		for (const tell of idle) tell();
	}
	#take() {
		let weight = 0;
		let count = 0;
		for (const waiting of this.#waiting) {
			weight += waiting.weight;
			if (count > 0 && (count >= GROUP_BATCHES || weight > GROUP_WEIGHT)) break;
			count++;
		}
		return this.#waiting.splice(0, count);
	}
	async #store(group) {
		const { storage, clock } = this.#services;
		try {
			const outcomes = await storage.ingestMany(group.map(({ batch }) => batch), clock());
			group.forEach((waiting, index) => {
				const outcome = outcomes[index];
				if (outcome === void 0) waiting.reject(/* @__PURE__ */ new Error("the storage has no outcome for a batch"));
				else this.#done(waiting, outcome);
			});
		} catch (error) {
			const [first] = group;
			if (group.length === 1 && first !== void 0) first.reject(error);
			else for (const waiting of group) await this.#store([waiting]);
		}
	}
	#done({ resolve }, outcome) {
		if (!outcome.duplicate) this.#services.metrics.eventsAccepted.add(outcome.accepted);
		resolve(outcome);
	}
};
/** Events, where each counts at least once a KiB: what is bounded is memory. */
function weightOf({ events }) {
	const characters = events.reduce((sum, { payload }) => sum + payload.length, 0);
	return Math.max(events.length, Math.ceil(characters / 1024));
}

// packages/server/dist/events/usage-event.js
function isRecord(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
const MAX_PATH = 256;
/** One usage event as clients send it. */
const USAGE_EVENT = z.object({
	event_type: z.string().regex(/^[\w.-]{1,128}$/).describe("Such as `authz_decision`"),
	payload: z.custom(isRecord, "must be an object"),
	occurred_at: INSTANT
});
/** The event as it is kept. */
function storedForm({ event_type: type, payload, occurred_at: occurredAt }) {
	return {
		type,
		occurredAt,
		tool: text(payload["tool_id"]),
		user: text(payload["user_id"]),
		result: text(payload["result"]),
		reason: text(payload["reason"]),
		payload: JSON.stringify(withoutValues(payload))
	};
}
function text(value) {
	if (typeof value === "string") return value;
	return typeof value === "number" ? String(value) : null;
}
/** Violations tell what was in an argument or an output; what is kept of them is where, and by which rule. */
function withoutValues(payload) {
	if (!Object.hasOwn(payload, "violations")) return payload;
	const { violations, ...rest } = payload;
	return {
		...rest,
		violations: Array.isArray(violations) ? violations.flatMap(placeOf) : []
	};
}
/** Of a violation that is a text nothing is kept, for nobody can say which part of it is a value. */
function placeOf(violation) {
	if (!isRecord(violation)) return [];
	const { path, operator } = violation;
	if (typeof path !== "string" || path.length > MAX_PATH) return [];
	return typeof operator === "string" && /^[A-Za-z_]{1,32}$/.test(operator) ? [{
		path,
		operator
	}] : [{ path }];
}

// packages/server/dist/events/ingest-route.js
const MAX_EVENTS = 1e3;
const MAX_BYTES = 1048576;
/** `POST /v1/events/ingest`. */
function ingestRoute(queue, plans) {
	return route({
		method: "POST",
		path: "/v1/events/ingest",
		summary: "Takes a batch of usage events",
		description: "Answered once the batch is on disk. A batch that is sent again with its id is not stored again; without `batch_id` the id is `X-Request-Id`. At most 1,000 events and 1 MiB.",
		tag: "events",
		access: { scopes: ["events.write"] },
		bodyLimit: MAX_BYTES,
		logLevel: "debug",
		body: z.object({
			batch_id: z.string().regex(/^[\w.:-]{1,128}$/).optional(),
			events: z.array(USAGE_EVENT)
		}),
		responses: {
			202: {
				description: "It is on disk; `duplicate`: it was before",
				schema: z.object({
					accepted: z.int(),
					duplicate: z.boolean()
				})
			},
			413: { description: "`batch_too_large`, `body_too_large`: send it in two halves" },
			429: { description: "`ingest_overloaded`: send it again after `Retry-After`" }
		},
		async handler({ identity, body, requestId }) {
			const { accountId, appId } = identity;
			if (appId === null) throw new Problem(403, "token_kind", { detail: "events are sent with the runtime token of an app" });
			const { event_batch: most = MAX_EVENTS } = await plans.of(accountId);
			if (body.events.length > most) throw new Problem(413, "batch_too_large", { detail: `a batch may have at most ${most} events` });
			const events = body.events.map(storedForm);
			return {
				status: 202,
				body: await queue.add({
					accountId,
					appId,
					batchId: body.batch_id ?? requestId,
					events
				})
			};
		}
	});
}

// packages/server/dist/events/retention-job.js
const DAY = 864e5;
const INTERVAL = 36e5;
/** Servers that are restarted often get to it as well. */
const FIRST = 6e4;
/** Removes events that are older than the settings say, once an hour. Does not keep the process alive. */
var RetentionJob = class {
	#services;
	#timers;
	#running;
	constructor(services) {
		this.#services = services;
		const run = () => void this.run();
		this.#timers = [setTimeout(run, FIRST).unref(), setInterval(run, INTERVAL).unref()];
	}
	/** Runs it now, or waits for the one that runs. Never rejects: what failed is tried again the next time. */
	run() {
		this.#running ??= this.#remove().finally(() => {
			this.#running = void 0;
		});
		return this.#running;
	}
	async close() {
		for (const timer of this.#timers) clearTimeout(timer);
		await this.#running;
	}
	async #remove() {
		const { storage, clock, settings, logger } = this.#services;
		const days = settings.eventRetentionDays;
		try {
			const events = await storage.removeBefore(days === 0 ? 0 : clock() - days * DAY);
			if (events > 0) logger.info({
				events,
				days
			}, "old events were removed");
		} catch (error) {
			logger.warn({ error: loggedError(error) }, "old events could not be removed; the next run will");
		}
	}
};

// packages/server/dist/events/events-feature.js
/** Taking usage events, reading them, and removing old ones. */
async function eventsFeature(services) {
	const plans = new AccountPlans(services);
	const queue = new IngestQueue(services);
	const retention = new RetentionJob(services);
	return {
		routes: [ingestRoute(queue, plans), ...eventRoutes(new AppNames(services.storage))],
		async close() {
			await queue.close();
			await retention.close();
			plans.close();
		}
	};
}

// packages/server/dist/bundles/bundle-payload.js
/** @param lifetime of a bundle, in seconds; 0: bundles do not expire, and there is but one period */
function periodAt(at, lifetime) {
	if (lifetime === 0) return {
		from: Number.NEGATIVE_INFINITY,
		until: Number.POSITIVE_INFINITY
	};
	const length = lifetime * 500;
	const from = Math.floor(at / length) * length;
	return {
		from,
		until: from + length
	};
}
/** The payload of a bundle. INVARIANT: it follows from the version, the period and the lifetime alone. */
function bundlePayload(published, period, lifetime) {
	const { accountId, appName, version, publishedAt, policyDigest, policy } = published;
	const claims = {
		iss: "d2-server",
		aud: `d2-policy:${accountId}:${appName}`,
		iat: Math.floor(Math.max(period.from, publishedAt) / 1e3),
		...lifetime === 0 ? {} : { exp: Math.floor(period.from / 1e3) + lifetime },
		version,
		policy_digest: policyDigest
	};
	return `${JSON.stringify(claims).slice(0, -1)},"metadata":${policy.metadata},"policies":${policy.policies}}`;
}

// packages/server/dist/bundles/policy-json.js
/** A node of a policy as JSON; what JSON cannot say is `null`. */
function treeJson(node) {
	if (node === UNREADABLE) return "null";
	if (Array.isArray(node)) return `[${node.map(treeJson).join(",")}]`;
	if (node instanceof Map) return `{${[...node].map(([key, value]) => `${JSON.stringify(key)}:${treeJson(value)}`).join(",")}}`;
	return typeof node === "bigint" ? String(node) : JSON.stringify(node);
}
/** The parts of a policy's text that go into a bundle; undefined: it has no `metadata` or no `policies`. */
function policyJson(text, format) {
	const { tree } = readPolicyText(text, { format });
	if (!(tree instanceof Map)) return void 0;
	const metadata = tree.get("metadata");
	const policies = tree.get("policies");
	if (!(metadata instanceof Map) || !Array.isArray(policies)) return void 0;
	return {
		metadata: treeJson(metadata),
		policies: treeJson(policies)
	};
}

// packages/server/dist/bundles/bundle-cache.js
/**
* The bundles of all apps that ask, in memory. A bundle is read when it is first asked for, and anew once its app has
* changed; when its period or its signer ends it is only signed anew.
*
* INVARIANT: what was read before a change was heard of is never kept after it.
*/
var BundleCache = class {
	#services;
	#plans;
	#maxApps;
	#maxCharacters;
	#kept = /* @__PURE__ */ new Map();
	#reading = /* @__PURE__ */ new Map();
	#stop;
	#characters = 0;
	constructor(services, plans, limits = {}) {
		this.#services = services;
		this.#plans = plans;
		this.#maxApps = limits.apps ?? 1e5;
		this.#maxCharacters = limits.characters ?? 64e6;
		this.#stop = services.storage.watch(({ kind, id }) => {
			if (kind === "app") this.forget(id);
			if (kind === "account") for (const appId of this.#apps()) this.forget(appId);
		});
	}
	close() {
		this.#stop();
	}
	/** Characters that are in memory. */
	get characters() {
		return this.#characters;
	}
	/** What is in memory and still right. Asks nobody. */
	known(appId) {
		const kept = this.#kept.get(appId);
		if (kept === void 0 || kept.state !== "published") return kept;
		return this.#isRight(kept, this.#services.clock()) ? kept : void 0;
	}
	/**
	* What is served of the app, with `whole`. Callers that ask for the same app at once share the work.
	*
	* @throws Problem 404 where the account has no such app, 503 without a key to sign with
	*/
	async read(accountId, appId) {
		const known = this.known(appId);
		if (known !== void 0 && (known.state !== "published" || known.whole !== void 0)) return known;
		const running = this.#reading.get(appId);
		if (running !== void 0) return running.done;
		const reading = {
			stale: false,
			done: this.#read(accountId, appId)
		};
		this.#reading.set(appId, reading);
		try {
			const kept = await reading.done;
			if (!reading.stale) this.#keep(appId, kept);
			return kept;
		} finally {
			if (this.#reading.get(appId) === reading) this.#reading.delete(appId);
		}
	}
	/** What was known of the app counts no more, as soon as this returns. */
	forget(appId) {
		const reading = this.#reading.get(appId);
		if (reading !== void 0) reading.stale = true;
		this.#reading.delete(appId);
		this.#drop(appId);
	}
	#apps() {
		return [...this.#kept.keys(), ...this.#reading.keys()];
	}
	#isRight(kept, now) {
		return now >= kept.from && now < kept.until && this.#services.signing.signer(now) === kept.signer;
	}
	async #read(accountId, appId) {
		const before = this.#kept.get(appId);
		const source = (before?.state === "published" ? before.source : void 0) ?? await this.#source(accountId, appId);
		return "state" in source ? source : this.#sign(source);
	}
	async #source(accountId, appId) {
		const { storage, settings } = this.#services;
		const app = await storage.app(accountId, appId);
		if (app === void 0) throw appNotFound();
		const { poll_seconds: pollSeconds = settings.pollSeconds } = await this.#plans.of(accountId);
		const pollHeaders = Object.freeze({ "X-D2-Poll-Seconds": String(pollSeconds) });
		const appName = app.name;
		if (app.revokedAt !== null) return {
			state: "revoked",
			appName,
			pollHeaders
		};
		if (app.currentVersion === 0) return {
			state: "none",
			appName,
			pollHeaders
		};
		const version = await storage.version(appId, app.currentVersion);
		const policy = version === void 0 ? void 0 : policyJson(version.text, version.format);
		if (version === void 0 || policy === void 0) throw new Error("the live version of an app is not in the database, or is no policy");
		const { publishedAt, policyDigest } = version;
		return {
			published: {
				accountId,
				appName,
				version: version.version,
				publishedAt,
				policyDigest,
				policy
			},
			pollHeaders
		};
	}
	async #sign(source) {
		const { clock, signing, settings } = this.#services;
		const { published, pollHeaders } = source;
		const now = clock();
		const signer = signing.signer(now);
		if (signer === void 0) throw new Problem(503, "not_ready", {
			detail: "there is no key to sign with",
			headers: { "Retry-After": "1" }
		});
		const lifetime = settings.bundleLifetimeSeconds;
		const period = periodAt(now, lifetime);
		const jws = await signer.sign(bundlePayload(published, period, lifetime));
		const { version, appName, policy } = published;
		const etag = `"${version}.${hash("sha256", jws, "hex").slice(0, 16)}"`;
		const body = JSON.stringify({
			jws,
			version,
			etag,
			metadata: { name: appName }
		});
		const headers = Object.freeze({
			...pollHeaders,
			ETag: etag
		});
		return {
			state: "published",
			appName,
			version,
			etag,
			unchanged: Object.freeze({
				status: 304,
				headers
			}),
			whole: {
				status: 200,
				headers: {
					...headers,
					"Content-Type": "application/json"
				},
				body
			},
			source,
			signer,
			from: period.from,
			until: period.until,
			size: body.length + policy.metadata.length + policy.policies.length
		};
	}
	#keep(appId, kept) {
		this.#drop(appId);
		for (const oldest of this.#kept.keys()) {
			if (this.#kept.size < this.#maxApps) break;
			this.#drop(oldest);
		}
		this.#kept.set(appId, kept);
		if (kept.state !== "published") return;
		this.#characters += kept.size;
		for (const [id, other] of this.#kept) {
			if (this.#characters <= this.#maxCharacters) break;
			if (other.state !== "published" || other.size === 0) continue;
			this.#characters -= other.size;
			this.#kept.set(id, {
				...other,
				size: 0,
				whole: void 0,
				source: void 0
			});
		}
	}
	#drop(appId) {
		const kept = this.#kept.get(appId);
		if (kept === void 0) return;
		if (kept.state === "published") this.#characters -= kept.size;
		this.#kept.delete(appId);
	}
};

// packages/server/dist/bundles/entity-tags.js
/**
* The entity tags of an `If-Match` or `If-None-Match` header (RFC 9110, section 13.1); `*` for any, undefined for what is
* not such a list. Weak ones have their `W/` left off.
*
* @param weak whether weak ones count
*/
function entityTags(header, weak) {
	if (header.trim() === "*") return "*";
	const tag = /\s*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)/y;
	const tags = [];
	while (tag.lastIndex < header.length) {
		const found = tag.exec(header);
		if (found === null) return void 0;
		if (found[2] !== void 0 && (weak || found[1] === void 0)) tags.push(found[2]);
	}
	return tags;
}
/** Whether a cached answer with one of the header's tags is still the one to give. */
function matchesNone(header, etag) {
	if (header === void 0) return false;
	if (header === etag) return true;
	const tags = entityTags(header, true);
	return tags === "*" || tags?.includes(etag) === true;
}

// packages/server/dist/bundles/bundle-routes.js
const BUNDLE = z.object({
	jws: z.string().describe("Compact JWS; its payload has `metadata` and `policies`."),
	version: z.int(),
	etag: z.string(),
	metadata: z.object({ name: z.string() })
});
const DRAFT = z.object({
	bundle: z.looseObject({}).nullable().describe("null: the draft cannot be read as a policy"),
	version: z.int().describe("The version that it edits; 0: none."),
	diagnostics: z.array(z.looseObject({})),
	text: z.string(),
	format: z.enum(["yaml", "json"]),
	updated_at: z.string()
});
/** `GET /v1/policy/bundle` and `GET /.well-known/jwks.json`. */
function bundleRoutes({ bundles, names }) {
	return [route({
		method: "GET",
		path: "/v1/policy/bundle",
		summary: "The signed policy of an app, or a draft for tools",
		tag: "policies",
		access: { scopes: ["policy.read"] },
		logLevel: "debug",
		query: z.object({
			app_name: APP_NAME.optional().describe("Of tokens that are not bound to an app, which need it."),
			stage: z.enum([
				"published",
				"draft",
				"auto"
			]).default("published").describe("`auto`: the draft if there is one, else what is published.")
		}),
		responses: {
			200: {
				description: "The bundle; for drafts another body",
				schema: z.union([BUNDLE, DRAFT])
			},
			304: { description: "It is the one of `If-None-Match`" },
			404: { description: "`policy_not_found`, `draft_not_found`, `app_not_found`, `app_name_required`" },
			410: { description: "`policy_revoked`" }
		},
		handler({ services, identity, query, rawHeaders }) {
			const asked = {
				identity,
				stage: query.stage,
				appName: query.app_name,
				ifNoneMatch: rawHeaders["if-none-match"]
			};
			if (identity.appId !== null && asked.stage !== "draft") {
				const known = bundles.known(identity.appId);
				const answer = known === void 0 ? void 0 : answerOf(known, asked, services);
				if (answer !== void 0) return answer;
			}
			return answerLater(asked, services, bundles, names);
		}
	}), route({
		method: "GET",
		path: "/.well-known/jwks.json",
		summary: "The keys that verify bundles",
		tag: "policies",
		access: "public",
		logLevel: "debug",
		responses: { 200: {
			description: "A JSON Web Key Set (RFC 7517)",
			schema: z.object({ keys: z.array(z.looseObject({
				kid: z.string(),
				kty: z.string()
			})) })
		} },
		handler({ services }) {
			return {
				status: 200,
				headers: { "Cache-Control": "public, max-age=60" },
				body: { keys: services.signing.keys().map(({ kid, alg, publicJwk }) => ({
					...JSON.parse(publicJwk),
					kid,
					alg,
					use: "sig"
				})) }
			};
		}
	})];
}
async function answerLater(asked, services, bundles, names) {
	const { identity, stage, appName } = asked;
	const { accountId } = identity;
	if (stage === "draft") refuseRuntime(identity);
	if (identity.appId === null && appName === void 0) throw nameRequired();
	const appId = identity.appId ?? await names.idOf(accountId, appName ?? "");
	if (stage !== "published" && identity.kind !== "runtime") {
		const draft = await draftAnswer(services, appId);
		if (draft !== void 0) return draft;
		if (stage === "draft") throw new Problem(404, "draft_not_found", { detail: "the app has no draft" });
	}
	const answer = answerOf(bundles.known(appId), asked, services);
	if (answer !== void 0) return answer;
	const served = answerOf(await bundles.read(accountId, appId), asked, services);
	if (served === void 0) throw new Error("a bundle that was read has no body");
	return served;
}
/** @returns undefined when there is not enough in memory */
function answerOf(served, { appName, ifNoneMatch }, { metrics }) {
	if (served === void 0) return void 0;
	if (appName !== void 0 && appName !== served.appName) throw appNotFound();
	if (served.state === "published") {
		const answer = matchesNone(ifNoneMatch, served.etag) ? served.unchanged : served.whole;
		if (answer !== void 0) metrics.bundleAnswers.add(1, answer.status === 304 ? "304" : "200");
		return answer;
	}
	const { state, pollHeaders: headers } = served;
	metrics.bundleAnswers.add(1, state === "revoked" ? "410" : "404");
	throw state === "revoked" ? new Problem(410, "policy_revoked", {
		detail: "the policy was revoked: publish a new version",
		headers
	}) : new Problem(404, "policy_not_found", {
		detail: "nothing was published for the app yet",
		headers
	});
}
async function draftAnswer({ storage }, appId) {
	const draft = await storage.draft(appId);
	if (draft === void 0) return void 0;
	const { text, format } = draft;
	const { tree } = readPolicyText(text, { format });
	const rest = JSON.stringify({
		version: draft.baseVersion,
		diagnostics: JSON.parse(draft.diagnostics),
		text,
		format,
		updated_at: new Date(draft.updatedAt).toISOString()
	});
	return {
		status: 200,
		headers: { "Content-Type": "application/json" },
		body: `{"bundle":${tree instanceof Map ? treeJson(tree) : "null"},${rest.slice(1)}`
	};
}

// packages/server/dist/publishing/expected-version.js
/**
* The version that must be live for an upload to be taken; undefined: whichever is.
*
* An ETag stands for its version: that bundles are signed anew now and then is no update that could be lost. `*` is what
* the public client always sends, also for a first version.
*
* @param current the version that is live; 0: none
* @throws Problem 412 when it is another one already
*/
function expectedVersion(statement, ifMatch, current) {
	const tags = ifMatch === void 0 ? "*" : entityTags(ifMatch, false) ?? [];
	const named = tags === "*" ? void 0 : tags.map(versionOf$3);
	if (named !== void 0 && !named.includes(current)) throw versionConflict(current);
	const stated = statement?.expectedVersion;
	if (stated !== void 0 && stated !== current) throw versionConflict(current);
	return named === void 0 ? stated : current;
}
function versionOf$3(etag) {
	const found = /^"([1-9]\d{0,14})\.[0-9a-f]{16}"$/.exec(etag);
	return found === null ? void 0 : Number(found[1]);
}
function versionConflict(current) {
	return new Problem(412, "version_conflict", {
		detail: "another version is live than the one that this was made from: fetch it, and publish again",
		members: { current_version: current }
	});
}

// packages/server/dist/publishing/validate-policy.js
/** Everything that speaks against a policy's text, found by the code behind `d2 diagnose`. Never throws for a bad policy. */
async function validatePolicy(text, { format, now, maxTools }) {
	const { ok, diagnostics, limits } = diagnosePolicy(text, {
		format,
		now,
		limits: { maxTools }
	});
	if (!ok) return {
		ok,
		diagnostics,
		...diagnostics.every(({ severity, code }) => severity === "warning" || code === "too_many_tools") && limits.tools !== void 0 ? { tools: limits.tools } : {}
	};
	const policy = loadPolicy(text, {
		format,
		now,
		limits: { maxTools }
	});
	const changed = changedAsBundle(text, format, policy, now);
	return changed === void 0 ? {
		ok,
		policy,
		diagnostics
	} : {
		ok: false,
		diagnostics: [...diagnostics, changed]
	};
}
/** A policy that was accepted before, whether or not it has expired since. @throws D2Error */
function acceptedPolicy(text, format) {
	return loadPolicy(text, {
		format,
		now: Number.NEGATIVE_INFINITY,
		limits: { maxTools: Number.MAX_SAFE_INTEGER }
	});
}
/**
* In a bundle a policy is JSON, and in most programs keys that look like whole numbers come first in an object. Where that
* gives the policy another meaning (output actions have an order), clients would not enforce what was checked here.
*/
function changedAsBundle(text, format, policy, now) {
	const parts = policyJson(text, format);
	const message = "the policy has another meaning once it is in a bundle: give it `metadata`, and no field rules whose paths are whole numbers";
	if (parts === void 0) return fault("not_publishable", message, []);
	const bundle = JSON.parse(`{"metadata":${parts.metadata},"policies":${parts.policies}}`);
	return loadPolicy(bundle, {
		now,
		limits: { maxTools: Number.MAX_SAFE_INTEGER }
	}).digest === policy.digest ? void 0 : fault("not_publishable", message, []);
}
function fault(code, message, documentPath) {
	return {
		severity: "error",
		code,
		message,
		path: documentPath.join("."),
		documentPath
	};
}

// packages/server/dist/publishing/policy-difference.js
/** States of sequence rules that are compared: enough for most policies, and few enough for a server to go on serving. */
const MAX_STATES = 2e3;
/** Compares two policies that were accepted; `before` is undefined where there was none. */
async function policyDifference(before, after) {
	if (before === void 0) return { direction: "changed" };
	const old = acceptedPolicy(before.text, before.format);
	const now = acceptedPolicy(after.text, after.format);
	return diffPolicies(old, now, { maxStates: MAX_STATES });
}

// packages/server/dist/publishing/statement.js
/** Seconds that a statement may be older or younger than its arrival. */
const TOLERANCE = 300;
const STATEMENT$1 = z.strictObject({
	app: z.string(),
	content_sha256: z.string(),
	expected_version: z.int().min(0),
	nonce: z.string().regex(/^[\w.~+/=-]{16,128}$/),
	time: z.int()
});
/**
* Reads an `X-D2-Signature-Input` header: base64url of the canonical JSON, so that one statement has one spelling.
*
* @throws Problem 400
*/
function readStatement(header) {
	const bytes = Buffer.from(header, "base64url");
	const text = bytes.toString("utf8");
	if (bytes.toString("base64url") === header && header.length <= 4096) {
		const parsed = STATEMENT$1.safeParse(parse(text));
		if (parsed.success && canonicalJson(parsed.data) === text) {
			const { app, content_sha256: contentDigest, expected_version: expectedVersion, nonce, time } = parsed.data;
			const signed = Buffer.from(`d2-publish/1\n${text}`);
			return {
				app,
				contentDigest,
				expectedVersion,
				nonce,
				time: time * 1e3,
				signed
			};
		}
	}
	throw new Problem(400, "statement_invalid", { detail: "`X-D2-Signature-Input` must be base64url of canonical JSON with `app`, `content_sha256`, `expected_version`, `nonce` and `time`" });
}
function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return;
	}
}
/**
* Whether a statement is about this request. Its signature has been checked.
*
* @throws Problem 403
*/
function checkStatement(statement, app, contentDigest, now) {
	if (statement.app !== app) throw new Problem(403, "statement_app", { detail: "the signed statement is about another app" });
	if (statement.contentDigest !== contentDigest) throw new Problem(403, "statement_content", { detail: "the signed statement is about another content" });
	if (Math.abs(now - statement.time) > TOLERANCE * 1e3) throw new Problem(403, "statement_stale", { detail: `the signed statement is taken within ${TOLERANCE} s of its time: sign anew, and check the clock` });
}
/** A nonce as it is remembered: for twice as long as its statement could be taken. */
function rememberedNonce({ nonce }, now) {
	return {
		value: nonce,
		until: now + 2 * TOLERANCE * 1e3
	};
}

// packages/server/dist/publishing/upload-signature.js
/** The start of an Ed25519 key in DER (SubjectPublicKeyInfo, RFC 8410); its 32 raw bytes follow. */
const DER_HEAD = Buffer.from("302a300506032b6570032100", "hex");
/**
* The signature of an upload: by a key of the account that is registered and not revoked, over the content as the public
* client does it, or over a statement.
*
* @returns undefined when the upload has none at all
* @throws Problem 400, 403
*/
async function checkUploadSignature(storage, { accountId, appName, bytes, contentDigest, headers, now }) {
	const signature = single(headers["x-d2-signature"]);
	const keyId = single(headers["x-d2-key-id"]);
	const input = single(headers["x-d2-signature-input"]);
	if (signature === void 0 && keyId === void 0 && input === void 0) return void 0;
	if (signature === void 0 || keyId === void 0) throw signatureMissing();
	const given = Buffer.from(signature, "base64");
	if (given.length !== 64 || given.toString("base64") !== signature) throw new Problem(400, "signature_malformed", { detail: "`X-D2-Signature` must be the 64 bytes of an Ed25519 signature in standard base64" });
	const statement = input === void 0 ? void 0 : readStatement(input);
	const key = /^ed_[0-9a-f]{12}$/.test(keyId) ? await storage.uploaderKey(accountId, keyId) : void 0;
	if (key === void 0) throw new Problem(403, "key_unknown", { detail: "the key of `X-D2-Key-Id` is not registered: `POST /v1/keys`" });
	if (key.revokedAt !== null) throw new Problem(403, "key_revoked", { detail: "the key of `X-D2-Key-Id` was revoked: use another" });
	const publicKey = createPublicKey({
		key: Buffer.concat([DER_HEAD, Buffer.from(key.publicKey, "base64")]),
		format: "der",
		type: "spki"
	});
	if (!verify(null, statement?.signed ?? bytes, publicKey, given)) throw new Problem(403, "signature_invalid", { detail: "`X-D2-Signature` does not hold: another key made it, or over other bytes" });
	if (statement !== void 0) checkStatement(statement, appName, contentDigest, now);
	return {
		keyId,
		signature,
		statement
	};
}
function signatureMissing() {
	return new Problem(400, "signature_missing", { detail: "sign the policy: `X-D2-Signature` and `X-D2-Key-Id`" });
}
function single(header) {
	return Array.isArray(header) ? header.join(", ") : header;
}

// packages/server/dist/publishing/publisher.js
/** Makes policies live. */
var Publisher = class {
	#services;
	#check;
	#bundles;
	constructor(services, check, bundles) {
		this.#services = services;
		this.#check = check;
		this.#bundles = bundles;
	}
	/** @throws Problem 400, 402, 403, 409, 412, 422 */
	async publish(request) {
		const { identity, appName, content } = request;
		const { accountId } = identity;
		const { signed, app, expected } = await this.#examine(request);
		if (signed === void 0) throw signatureMissing();
		const validation = await this.#check.diagnose(accountId, content);
		const { policy, diagnostics } = await this.#check.accept(accountId, appName, validation);
		const { statement, keyId, signature } = signed;
		const now = this.#services.clock();
		const target = app ?? await this.#services.appCreation.obtain(accountId, appName);
		return {
			...await this.#store(target, {
				...versionOf$2(target, content, policy.digest, now, identity),
				keyId,
				signature,
				rollbackOf: null,
				expectedVersion: expected,
				nonce: statement === void 0 ? void 0 : rememberedNonce(statement, now)
			}),
			diagnostics
		};
	}
	/** What `publish` would do; stores nothing. A signature may be left out. @throws Problem as `publish` does, but not for a bad policy */
	async rehearse(request) {
		const { identity, appName, content } = request;
		const { app } = await this.#examine(request);
		const validation = await this.#check.diagnose(identity.accountId, content);
		const currentVersion = app?.currentVersion ?? 0;
		if (!validation.ok) {
			await this.#check.assertTools(identity.accountId, validation);
			return {
				valid: false,
				currentVersion,
				diagnostics: validation.diagnostics,
				difference: null
			};
		}
		const { diagnostics } = await this.#check.accept(identity.accountId, appName, validation);
		const live = app === void 0 || currentVersion === 0 ? void 0 : await this.#services.storage.version(app.id, currentVersion);
		return {
			valid: true,
			currentVersion,
			diagnostics,
			difference: await policyDifference(live, content)
		};
	}
	/**
	* Publishes the content of an older version as a new one.
	*
	* @throws Problem 402, 404, 412, 422
	*/
	async rollBack(identity, app, version, expected) {
		const old = await this.#services.storage.version(app.id, version);
		if (old === void 0) throw versionNotFound();
		const { text, format, contentDigest: digest } = old;
		const validation = await this.#check.diagnose(identity.accountId, {
			text,
			format
		});
		const { policy, diagnostics } = await this.#check.accept(identity.accountId, app.name, validation);
		const now = this.#services.clock();
		return {
			...await this.#store(app, {
				...versionOf$2(app, {
					text,
					format,
					digest
				}, policy.digest, now, identity),
				keyId: null,
				signature: null,
				rollbackOf: version,
				expectedVersion: expected
			}),
			diagnostics
		};
	}
	/**
	* Takes back what is live: bundles are answered 410 until a newer version comes. Revoking again changes nothing.
	*
	* @throws Problem 404 when nothing was ever published
	*/
	async revoke(identity, app) {
		const { storage, clock, logger } = this.#services;
		const { accountId, tokenId } = identity;
		const revoked = await storage.revokeApp(accountId, app.id, clock());
		this.#bundles.forget(app.id);
		if (revoked) logger.info({
			account: accountId,
			app: app.id,
			token: tokenId
		}, "a policy was revoked");
		const now = await storage.app(accountId, app.id);
		if (now === void 0) throw appNotFound();
		if (!revoked && now.currentVersion === 0) throw new Problem(404, "policy_not_found", { detail: "nothing was published for the app yet" });
		return now;
	}
	async #examine({ identity, appName, content, bytes, headers }) {
		const { storage, clock } = this.#services;
		const { accountId } = identity;
		const signed = await checkUploadSignature(storage, {
			accountId,
			appName,
			bytes,
			contentDigest: content.digest,
			headers,
			now: clock()
		});
		const app = await storage.appByName(accountId, appName);
		return {
			signed,
			app,
			expected: expectedVersion(signed?.statement, headers["if-match"], app?.currentVersion ?? 0)
		};
	}
	async #store(app, version) {
		const { storage, logger } = this.#services;
		const stored = await storage.publish(version);
		switch (stored.outcome) {
			case "conflict": throw versionConflict(stored.currentVersion);
			case "replayed": throw new Problem(409, "statement_replayed", { detail: "the signed statement was taken before: sign anew" });
			case "published": {
				this.#bundles.forget(app.id);
				const { version: number, rollbackOf, keyId, publishedBy } = stored.version;
				logger.info({
					account: app.accountId,
					app: app.id,
					version: number,
					rollbackOf,
					key: keyId,
					token: publishedBy
				}, "a policy was published");
				return {
					app,
					version: stored.version,
					etag: await this.#etag(app, number)
				};
			}
		}
	}
	/** It is published, whatever becomes of this. */
	async #etag(app, version) {
		try {
			const served = await this.#bundles.read(app.accountId, app.id);
			return served.state === "published" && served.version === version ? served.etag : void 0;
		} catch {
			return;
		}
	}
};
function versionOf$2(app, { text, format, digest }, policyDigest, publishedAt, { tokenId }) {
	return {
		appId: app.id,
		text,
		format,
		policyDigest,
		contentDigest: digest,
		publishedAt,
		publishedBy: tokenId
	};
}
function versionNotFound() {
	return new Problem(404, "version_not_found", { detail: "the app has no such version" });
}

// packages/server/dist/publishing/shown-version.js
const DIAGNOSTICS = z.array(z.looseObject({
	severity: z.enum(["error", "warning"]),
	code: z.string(),
	message: z.string()
})).describe("What is wrong with a policy, or doubtful, with document path, line and column.");
const VERSION = z.object({
	version: z.int(),
	format: z.enum(["yaml", "json"]),
	policy_digest: z.string().describe("Of what the policy says, however it is written"),
	content_sha256: z.string().describe("Of the text to the byte"),
	published_at: z.string(),
	published_by: z.string().describe("Id of the token"),
	key_id: z.string().nullable().describe("null: rolled back, without a signature of its own"),
	rollback_of: z.int().nullable()
});
function shownVersion(version) {
	return {
		version: version.version,
		format: version.format,
		policy_digest: version.policyDigest,
		content_sha256: version.contentDigest,
		published_at: instant(version.publishedAt),
		published_by: version.publishedBy,
		key_id: version.keyId,
		rollback_of: version.rollbackOf
	};
}
/** Path parameter that names a version. */
const VERSION_NUMBER = z.string().regex(/^[1-9]\d{0,8}$/).transform(Number);

// packages/server/dist/publishing/draft-routes.js
const BODY = z.union([z.object({
	bundle: z.record(z.string(), z.unknown()).describe("The policy."),
	version: z.int().min(0).optional().describe("The version that it edits. Default: the one that is live.")
}), z.object({
	text: z.string().describe("The policy as a text."),
	format: z.enum(["yaml", "json"]).default("yaml"),
	version: z.int().min(0).optional()
})]);
/** Beyond the policy itself. */
const ENVELOPE = 65536;
function textOf(body) {
	return "bundle" in body ? {
		text: JSON.stringify(body.bundle, null, 2),
		format: "json"
	} : {
		text: body.text,
		format: body.format
	};
}
/** The name that a draft is for: its own, else the one of the request. @throws Problem 422 */
function nameOf({ text, format }, asked) {
	const { tree } = readPolicyText(text, { format });
	const metadata = tree instanceof Map ? tree.get("metadata") : void 0;
	const name = APP_NAME.safeParse(metadata instanceof Map ? metadata.get("name") : void 0);
	if (name.success && (asked === void 0 || asked === name.data)) return name.data;
	if (!name.success && asked !== void 0) return asked;
	throw new Problem(422, "draft_name", { detail: "`metadata.name` must be the name of an app, and the one of `app_name` if that is given" });
}
/** `PUT /v1/policy/draft`. */
function draftRoutes(check) {
	return [route({
		method: "PUT",
		path: "/v1/policy/draft",
		summary: "Keeps a draft, also one that is not valid",
		description: "An app has one draft; another takes its place, and publishing removes it.",
		tag: "policies",
		access: { scopes: ["policy.write"] },
		bodyLimit: DEFAULT_MAX_BYTES + ENVELOPE,
		query: z.object({ app_name: APP_NAME.optional().describe("For drafts that do not say it in `metadata.name`.") }),
		body: BODY,
		responses: {
			200: {
				description: "It is kept",
				schema: z.object({
					app_id: z.string(),
					app_name: z.string(),
					version: z.int().describe("The version that it edits; 0: none."),
					valid: z.boolean().describe("Whether it could be published."),
					diagnostics: DIAGNOSTICS,
					updated_at: z.string()
				})
			},
			403: { description: "`quota_apps_exceeded`" },
			404: { description: "`version_not_found`: the one that it should edit" },
			422: { description: "`draft_name`" }
		},
		async handler({ services, identity, query, body, clock }) {
			const content = textOf(body);
			if (/\p{Surrogate}/u.test(content.text)) throw new Problem(422, "policy_not_utf8", { detail: "the policy must be text that UTF-8 can hold" });
			const name = nameOf(content, query.app_name);
			const validation = await check.diagnose(identity.accountId, content);
			const app = await services.appCreation.obtain(identity.accountId, name);
			const baseVersion = body.version ?? app.currentVersion;
			if (baseVersion > app.currentVersion) throw versionNotFound();
			const draft = {
				appId: app.id,
				...content,
				baseVersion,
				updatedAt: clock(),
				updatedBy: identity.tokenId,
				diagnostics: JSON.stringify(validation.diagnostics)
			};
			await services.storage.saveDraft(draft);
			return {
				status: 200,
				body: {
					app_id: app.id,
					app_name: app.name,
					version: baseVersion,
					valid: validation.ok,
					diagnostics: validation.diagnostics,
					updated_at: instant(draft.updatedAt)
				}
			};
		}
	})];
}

// packages/server/dist/publishing/policy-check.js
/** @throws Problem 422 when the bytes are no text */
function policyContent(bytes) {
	let text;
	try {
		text = new TextDecoder("utf-8", {
			fatal: true,
			ignoreBOM: true
		}).decode(bytes);
	} catch {
		throw new Problem(422, "policy_not_utf8", { detail: "the policy must be text in UTF-8" });
	}
	return {
		text,
		format: formatOf(text),
		digest: hash("sha256", bytes, "hex")
	};
}
function formatOf(text) {
	if (!text.trimStart().startsWith("{")) return "yaml";
	try {
		JSON.parse(text);
		return "json";
	} catch {
		return "yaml";
	}
}
/** Checks policies as the language and an account's plan ask for it. */
var PolicyCheck = class {
	#plans;
	#clock;
	constructor(plans, clock) {
		this.#plans = plans;
		this.#clock = clock;
	}
	/** Never throws for a bad policy. */
	async diagnose(accountId, { text, format }) {
		const { max_tools: maxTools } = await this.#plans.of(accountId);
		return validatePolicy(text, {
			format,
			now: this.#clock(),
			maxTools
		});
	}
	/**
	* What of a validation may be published under the name.
	*
	* @throws Problem 402 `tool_limit` when the plan has room for fewer tools, 422 when it cannot be used, or has another name
	*/
	async accept(accountId, appName, validation) {
		if (!validation.ok) {
			await this.assertTools(accountId, validation);
			throw new Problem(422, "policy_invalid", {
				detail: "the policy has errors: see `diagnostics`",
				members: { diagnostics: validation.diagnostics }
			});
		}
		const { policy, diagnostics } = validation;
		if (policy.document.name !== appName) throw new Problem(422, "name_mismatch", { detail: "`metadata.name` must be the name of the app that the policy is published for" });
		return {
			policy,
			diagnostics
		};
	}
	/** @throws Problem 402 when the plan has room for fewer tools */
	async assertTools(accountId, validation) {
		const tools = validation.ok ? void 0 : validation.tools;
		const { max_tools: most } = await this.#plans.of(accountId);
		if (tools === void 0 || tools.max !== most) return;
		throw new Problem(402, "tool_limit", {
			detail: `tool_limit: the policy names ${tools.used} tools and the plan has room for ${most}`,
			members: { tools }
		});
	}
};

// packages/server/dist/publishing/publish-routes.js
const PUBLISHED = VERSION.extend({
	app_id: z.string(),
	app_name: z.string(),
	etag: z.string().nullable().describe("Of its bundle; null: another version is live already."),
	diagnostics: DIAGNOSTICS
});
const REHEARSAL = z.object({
	valid: z.boolean(),
	app_name: z.string(),
	current_version: z.int(),
	diagnostics: DIAGNOSTICS,
	difference: z.looseObject({}).nullable().describe("What would change in meaning; null where the policy cannot be used.")
});
const REVOKED = z.object({
	app_id: z.string(),
	app_name: z.string(),
	current_version: z.int(),
	revoked_at: z.string().nullable()
});
const STATEMENT = `The policy's text to the byte, signed with a registered key (\`POST /v1/keys\`).

\`X-D2-Signature\` is the Ed25519 signature, in standard base64, over exactly the body; or, where \`X-D2-Signature-Input\` is sent, over
\`d2-publish/1\\n\` and the statement. The statement is canonical JSON (sorted keys, no white space), in the header as base64url without
padding: \`{"app", "content_sha256", "expected_version", "nonce", "time"}\` with the name of the app, the SHA-256 of the body in hex, the version
that is live (0: none), 16 to 128 random characters, and Unix time in whole seconds. It is taken once, within 300 s of its time.

The app is made if it is not there. Publishing revives a revoked app.`;
function shown({ app, version, etag, diagnostics }) {
	const body = {
		...shownVersion(version),
		app_id: app.id,
		app_name: app.name,
		etag: etag ?? null,
		diagnostics: diagnostics.map((it) => ({ ...it }))
	};
	return {
		status: 201,
		headers: etag === void 0 ? {} : { ETag: etag },
		body
	};
}
/** `POST /v1/policy/publish`, `/rollback` and `/revoke`. */
function publishRoutes(publisher, names) {
	return [
		route({
			method: "POST",
			path: "/v1/policy/publish",
			summary: "Publishes a policy as the next version of its app",
			description: STATEMENT,
			tag: "policies",
			access: { scopes: ["policy.write"] },
			rawBody: true,
			bodyLimit: DEFAULT_MAX_BYTES,
			query: z.object({
				app_name: APP_NAME.describe("The policy's `metadata.name`."),
				dry_run: z.enum([
					"true",
					"false",
					"1",
					"0"
				]).default("false").describe("Check and compare only; a signature may be left out.")
			}),
			headers: z.object({
				"x-d2-signature": z.string().max(256).optional(),
				"x-d2-key-id": z.string().max(64).optional().describe("`ed_` and 12 hex digits"),
				"x-d2-signature-input": z.string().max(4096).optional().describe("The signed statement."),
				"if-match": z.string().max(1024).optional().describe("ETag of the bundle that is live, else 412; `*`: whichever is.")
			}),
			responses: {
				200: {
					description: "With `dry_run`: what would happen",
					schema: REHEARSAL
				},
				201: {
					description: "The new version is live",
					schema: PUBLISHED
				},
				400: { description: "`signature_missing`, `signature_malformed`, `statement_invalid`" },
				402: { description: "`tool_limit`: the plan has room for fewer tools" },
				403: { description: "`quota_apps_exceeded`, `key_unknown`, `key_revoked`, `signature_invalid`, `statement_app`, `statement_content`, `statement_stale`" },
				409: { description: "`statement_replayed`" },
				412: { description: "`version_conflict`: another version is live; nothing was stored" },
				422: { description: "`policy_invalid` with `diagnostics`, `name_mismatch`, `policy_not_utf8`" }
			},
			async handler({ identity, query, bytes, rawHeaders }) {
				const request = {
					identity,
					appName: query.app_name,
					content: policyContent(bytes),
					bytes,
					headers: rawHeaders
				};
				if (query.dry_run !== "true" && query.dry_run !== "1") return shown(await publisher.publish(request));
				const { currentVersion, ...rest } = await publisher.rehearse(request);
				return {
					status: 200,
					body: {
						...rest,
						app_name: query.app_name,
						current_version: currentVersion
					}
				};
			}
		}),
		route({
			method: "POST",
			path: "/v1/policy/rollback",
			summary: "Publishes the content of an older version as a new one",
			tag: "policies",
			access: { scopes: ["policy.write", "admin"] },
			query: z.object({ app_name: APP_NAME.optional() }),
			body: z.strictObject({
				version: z.int().min(1).describe("The version to go back to."),
				expected_version: z.int().min(0).optional().describe("The version that must be live.")
			}),
			responses: {
				201: {
					description: "The new version is live",
					schema: PUBLISHED
				},
				404: { description: "`version_not_found`, `app_not_found`" },
				412: { description: "`version_conflict`" },
				422: { description: "`policy_invalid`: it could not be published today, as when it has expired" }
			},
			async handler({ identity, query, body }) {
				const app = await names.forTools(identity, query.app_name);
				return shown(await publisher.rollBack(identity, app, body.version, body.expected_version));
			}
		}),
		route({
			method: "POST",
			path: "/v1/policy/revoke",
			summary: "Takes the policy of an app back: everything is denied until a newer version comes",
			tag: "policies",
			access: { scopes: ["policy.write", "admin"] },
			query: z.object({ app_name: APP_NAME.optional() }),
			responses: {
				200: {
					description: "It is revoked",
					schema: REVOKED
				},
				404: { description: "`policy_not_found`: nothing was published; `app_not_found`" }
			},
			async handler({ identity, query }) {
				const app = await publisher.revoke(identity, await names.forTools(identity, query.app_name));
				return {
					status: 200,
					body: {
						app_id: app.id,
						app_name: app.name,
						current_version: app.currentVersion,
						revoked_at: instant(app.revokedAt)
					}
				};
			}
		})
	];
}

// packages/server/dist/publishing/version-routes.js
const APP_QUERY = z.object({ app_name: APP_NAME.optional() });
const ACCESS = { scopes: ["policy.read", "policy.write"] };
async function versionOf$1({ storage }, app, version) {
	const found = await storage.version(app.id, version);
	if (found === void 0) throw versionNotFound();
	return found;
}
/** `GET /v1/policy/versions`, `/{n}` and `/{n}/diff`. */
function versionRoutes(names) {
	return [
		route({
			method: "GET",
			path: "/v1/policy/versions",
			summary: "The versions of an app, newest first",
			tag: "policies",
			access: ACCESS,
			query: APP_QUERY.extend({ limit: z.coerce.number().int().min(1).max(1e3).default(100) }),
			responses: { 200: {
				description: "The newest ones",
				schema: z.object({
					app_id: z.string(),
					app_name: z.string(),
					current_version: z.int(),
					revoked_at: z.string().nullable(),
					versions: z.array(VERSION)
				})
			} },
			async handler({ services, identity, query }) {
				const app = await names.forTools(identity, query.app_name);
				const versions = await services.storage.versions(app.id, query.limit);
				return {
					status: 200,
					body: {
						app_id: app.id,
						app_name: app.name,
						current_version: app.currentVersion,
						revoked_at: instant(app.revokedAt),
						versions: versions.map(shownVersion)
					}
				};
			}
		}),
		route({
			method: "GET",
			path: "/v1/policy/versions/{version}",
			summary: "A version with its text",
			tag: "policies",
			access: ACCESS,
			params: z.object({ version: VERSION_NUMBER }),
			query: APP_QUERY,
			responses: {
				200: {
					description: "The version",
					schema: VERSION.extend({
						text: z.string(),
						signature: z.string().nullable()
					})
				},
				404: { description: "`version_not_found`, `app_not_found`" }
			},
			async handler({ services, identity, params, query }) {
				const version = await versionOf$1(services, await names.forTools(identity, query.app_name), params.version);
				const { text, signature } = version;
				return {
					status: 200,
					body: {
						...shownVersion(version),
						text,
						signature
					}
				};
			}
		}),
		route({
			method: "GET",
			path: "/v1/policy/versions/{version}/diff",
			summary: "What changed in meaning from one version to another",
			tag: "policies",
			access: ACCESS,
			params: z.object({ version: VERSION_NUMBER }),
			query: APP_QUERY.extend({ against: VERSION_NUMBER.optional().describe("The older one. Default: the version before.") }),
			responses: {
				200: {
					description: "The difference",
					schema: z.object({
						version: z.int(),
						against: z.int(),
						difference: z.looseObject({})
					})
				},
				404: { description: "`version_not_found`, `app_not_found`" }
			},
			async handler({ services, identity, params, query }) {
				const app = await names.forTools(identity, query.app_name);
				const against = query.against ?? params.version - 1;
				const [before, after] = await Promise.all([versionOf$1(services, app, against), versionOf$1(services, app, params.version)]);
				const difference = await policyDifference(before, after);
				return {
					status: 200,
					body: {
						version: params.version,
						against,
						difference
					}
				};
			}
		})
	];
}

// packages/server/dist/publishing/policy-feature.js
/** Bundles, publishing, versions and drafts. */
async function policyFeature(services) {
	const plans = new AccountPlans(services);
	const bundles = new BundleCache(services, plans);
	const names = new AppNames(services.storage);
	const check = new PolicyCheck(plans, services.clock);
	const publisher = new Publisher(services, check, bundles);
	return {
		routes: [
			...bundleRoutes({
				bundles,
				names
			}),
			...publishRoutes(publisher, names),
			...versionRoutes(names),
			...draftRoutes(check)
		],
		async close() {
			bundles.close();
			plans.close();
		}
	};
}

// packages/server/dist/signing/sealed-key.js
const NONCE = 12;
const TAG = 16;
function boundTo({ kid, alg, publicJwk }) {
	return Buffer.from(`d2-signing-key/1\n${kid}\n${alg}\n${publicJwk}`);
}
/** AES-256-GCM over the private key: nonce, tag and text together in base64. */
function sealKey(key, privateKey, serverKey, randomBytes) {
	const nonce = randomBytes(NONCE);
	const cipher = createCipheriv("aes-256-gcm", serverKey, nonce).setAAD(boundTo(key));
	const text = privateKey.export({
		type: "pkcs8",
		format: "der"
	});
	const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
	return Buffer.concat([
		nonce,
		cipher.getAuthTag(),
		sealed
	]).toString("base64");
}
/** The private key; undefined: another server key has sealed it, or it was changed. */
function openKey(key, serverKey) {
	const bytes = Buffer.from(key.sealed, "base64");
	if (bytes.length <= 28) return void 0;
	try {
		const decipher = createDecipheriv("aes-256-gcm", serverKey, bytes.subarray(0, NONCE), { authTagLength: TAG });
		decipher.setAAD(boundTo(key)).setAuthTag(bytes.subarray(NONCE, 28));
		const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
		return createPrivateKey({
			key: text,
			type: "pkcs8",
			format: "der"
		});
	} catch {
		return;
	}
}
const generate = promisify(generateKeyPair);
/** A new pair of keys, its private half sealed. The `kid` is the thumbprint of the public half (RFC 7638). */
async function newSealedKey(alg, serverKey, randomBytes) {
	const { publicKey, privateKey } = alg === "RS256" ? await generate("rsa", { modulusLength: 2048 }) : await generate("ed25519");
	const jwk = await exportJWK(publicKey);
	const key = {
		kid: await calculateJwkThumbprint(jwk),
		alg,
		publicJwk: JSON.stringify(jwk)
	};
	return {
		...key,
		sealed: sealKey(key, privateKey, serverKey, randomBytes)
	};
}

// packages/server/dist/signing/server-key.js
const LENGTH = 32;
/**
* The 32 bytes that encrypt signing keys: those of the setting, else those of the file `server.key` in the data folder. A
* database that is only in memory has a key that is only in memory.
*
* @throws SettingsError when the key is not one, when others may read the file, or when it is missing and may not be made
*/
async function readServerKey({ settings, randomBytes, mayMake }) {
	const { serverKey, dataFolder, databaseUrl, databaseFile } = settings;
	if (serverKey !== void 0) {
		const bytes = keyBytes(serverKey);
		if (bytes !== void 0) return bytes;
		throw new SettingsError("`D2_SERVER_KEY` must be base64 of 32 bytes: `openssl rand -base64 32` makes one");
	}
	if (databaseUrl === void 0 && databaseFile === ":memory:") return randomBytes(LENGTH);
	const file = join(dataFolder, "server.key");
	const there = await readKeyFile(file);
	if (there !== void 0) return there;
	if (!mayMake) throw new SettingsError("the file `server.key` is not in the data folder, and the database has signing keys that it encrypts: put a copy back, or give the key as `D2_SERVER_KEY`");
	await mkdir(dataFolder, {
		recursive: true,
		mode: 448
	});
	await makeKeyFile(file, randomBytes);
	const made = await readKeyFile(file);
	if (made === void 0) throw new SettingsError("the file `server.key` was removed while it was made");
	return made;
}
function keyBytes(text) {
	const bytes = Buffer.from(text, "base64");
	return bytes.length === LENGTH && bytes.toString("base64") === text.trim() ? bytes : void 0;
}
async function readKeyFile(file) {
	try {
		const { mode } = await stat(file);
		if (process.platform !== "win32" && (mode & 63) !== 0) throw new SettingsError("others may read the file `server.key`: `chmod 600` it, then rotate the keys at once");
		const bytes = keyBytes(await readFile(file, "utf8"));
		if (bytes !== void 0) return bytes;
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return void 0;
		throw error;
	}
	throw new SettingsError("the file `server.key` is damaged: put a copy back");
}
/** Written beside and then linked, so that nobody ever reads half a key, and none replaces another. */
async function makeKeyFile(file, randomBytes) {
	const next = `${file}.${Buffer.from(randomBytes(6)).toString("hex")}.tmp`;
	const handle = await open(next, "wx", 384);
	try {
		await handle.writeFile(`${Buffer.from(randomBytes(LENGTH)).toString("base64")}\n`);
		await handle.sync();
	} finally {
		await handle.close();
	}
	try {
		await link(next, file);
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
	} finally {
		await rm(next, { force: true });
	}
}

// packages/server/dist/signing/signer-of.js
/** How long after a rotation took effect bundles tell of it, in milliseconds. */
const ANNOUNCED = 864e5;
/** Whether clients find the key in the key list. */
function isListed(key, at) {
	return key.listedUntil === null || at < key.listedUntil;
}
/**
* The key that signs at an instant: of those that may, the one that was made last. So a rotation at once also overtakes
* a scheduled one that has not begun, and a key that may have become known never comes back.
*
* @param keys oldest first
*/
function signerOf(keys, at) {
	return keys.findLast((key) => key.signsFrom <= at && isListed(key, at));
}
/** The first instant after the given one at which another key signs, or the same one with another header. */
function signerChange(keys, signer, at) {
	const instants = keys.map((key) => key.signsFrom);
	if (signer.rotation !== null) instants.push(signer.signsFrom + ANNOUNCED);
	if (signer.listedUntil !== null) instants.push(signer.listedUntil);
	return Math.min(...instants.filter((instant) => instant > at), Number.POSITIVE_INFINITY);
}
/** Members of the JWS header by which clients learn of the rotation that brought the key. */
function announcement(signer, at) {
	const { rotation, signsFrom, kid } = signer;
	if (rotation === null || at >= signsFrom + 864e5) return {};
	return {
		jwks_refresh: true,
		rotation_id: rotation.id,
		timestamp: new Date(signsFrom).toISOString(),
		reason: rotation.reason,
		new_kid: kid
	};
}

// packages/server/dist/signing/signing-keys.js
/** How much longer a key is listed than its last bundle is valid: other servers hear of a rotation a little later. */
const MARGIN = 6e4;
const RETRY = 1e3;
/**
* The keys that sign bundles, in memory. INVARIANT: only keys whose seal this server's key opens are here, so that whoever
* can merely write to the database can neither have a key listed nor have one used.
*/
var SigningKeys = class SigningKeys {
	#services;
	#serverKey;
	#stopWatching;
	#keys = [];
	#strangers = 0;
	#current;
	#loading;
	#stale = false;
	#retry;
	#closed = false;
	constructor(services, serverKey) {
		this.#services = services;
		this.#serverKey = serverKey;
		this.#stopWatching = services.storage.watch((change) => {
			if (change.kind === "signing_keys") this.#reload().catch((error) => this.#failed(error));
		});
	}
	/**
	* Reads the keys; makes the first one where there is none.
	*
	* @throws SettingsError when the server's key is not the one that sealed them
	*/
	static async open(services) {
		const { storage, settings, randomBytes } = services;
		const mayMake = (await storage.signingKeys()).length === 0;
		const serverKey = await readServerKey({
			settings,
			randomBytes,
			mayMake
		});
		const keys = new SigningKeys(services, serverKey);
		try {
			if (mayMake) await keys.#makeFirst();
			await keys.#reload();
			if (keys.signer(services.clock()) === void 0 || keys.#strangers > 0) throw new SettingsError("the signing keys in the database were sealed with another server key: give that one, as `D2_SERVER_KEY` or as the file `server.key`");
		} catch (error) {
			await keys.close();
			throw error;
		}
		return keys;
	}
	ready() {
		return this.#strangers === 0 && this.signer(this.#services.clock()) !== void 0;
	}
	keys() {
		const now = this.#services.clock();
		return this.#keys.map(({ key }) => key).filter((key) => isListed(key, now));
	}
	signer(at) {
		const current = this.#current;
		if (current !== void 0 && at >= current.from && at < current.until) return current;
		this.#current = this.#signerAt(at, current);
		return this.#current;
	}
	async rotate({ immediate, alg, reason }) {
		const { storage, settings, clock, randomBytes, logger } = this.#services;
		const made = await newSealedKey(alg ?? settings.signingAlgorithm, this.#serverKey, randomBytes);
		const latest = (await storage.signingKeys()).at(-1)?.createdAt ?? 0;
		const now = clock();
		const signsFrom = immediate ? now : now + settings.rotationLeadSeconds * 1e3;
		const key = {
			...made,
			createdAt: Math.max(now, latest + 1),
			signsFrom,
			listedUntil: null,
			rotation: {
				id: `rot_${Buffer.from(randomBytes(10)).toString("hex")}`,
				reason: reason ?? (immediate ? "immediate" : "scheduled")
			}
		};
		const lifetime = settings.bundleLifetimeSeconds * 1e3;
		await storage.addSigningKey(key, lifetime === 0 ? null : signsFrom + lifetime + MARGIN);
		logger.info({
			kid: key.kid,
			alg: key.alg,
			signsFrom,
			rotation: key.rotation?.id
		}, "a signing key was made");
		await this.#reload();
		return key;
	}
	async close() {
		this.#closed = true;
		clearTimeout(this.#retry);
		this.#stopWatching();
		await this.#loading?.catch(() => void 0);
	}
	async #makeFirst() {
		const { storage, settings, clock, randomBytes, logger } = this.#services;
		const made = await newSealedKey(settings.signingAlgorithm, this.#serverKey, randomBytes);
		const now = clock();
		const key = {
			...made,
			createdAt: now,
			signsFrom: now,
			listedUntil: null,
			rotation: null
		};
		if (await storage.addFirstSigningKey(key)) logger.info({
			kid: key.kid,
			alg: key.alg
		}, "the first signing key was made");
	}
	/** Reads the keys anew. Settles when what was stored before the call is in memory. */
	#reload() {
		this.#stale = true;
		this.#loading ??= this.#load().finally(() => {
			this.#loading = void 0;
		});
		return this.#loading;
	}
	async #load() {
		while (this.#stale && !this.#closed) {
			this.#stale = false;
			const now = this.#services.clock();
			const listed = (await this.#services.storage.signingKeys()).filter((key) => isListed(key, now));
			const keys = [];
			for (const key of listed) {
				const privateKey = this.#keys.find((it) => sameSeal(it.key, key))?.privateKey ?? openKey(key, this.#serverKey);
				if (privateKey !== void 0) keys.push({
					key,
					privateKey
				});
			}
			this.#strangers = listed.length - keys.length;
			if (this.#strangers > 0) this.#services.logger.error({ keys: this.#strangers }, "signing keys cannot be opened with this server's key and are left out: give all servers the same `D2_SERVER_KEY`");
			this.#keys = keys;
			this.#current = this.#signerAt(now, this.#current);
		}
	}
	#failed(error) {
		if (this.#closed) return;
		this.#services.logger.warn({ error: loggedError(error) }, "cannot read the signing keys; will go on trying");
		clearTimeout(this.#retry);
		this.#retry = setTimeout(() => this.#reload().catch((again) => this.#failed(again)), RETRY).unref();
	}
	/** The same object for as long as bundles come out the same, for by it caches know that they do. */
	#signerAt(at, current) {
		const keys = this.#keys.map(({ key }) => key);
		const key = signerOf(keys, at);
		const open = this.#keys.find((it) => it.key === key);
		if (key === void 0 || open === void 0) return void 0;
		const until = signerChange(keys, key, at);
		const header = {
			alg: key.alg,
			kid: key.kid,
			...announcement(key, at)
		};
		const same = JSON.stringify(header);
		if (current?.same === same && current.until === until && at >= current.from) return current;
		return {
			kid: key.kid,
			from: key.signsFrom,
			until,
			same,
			sign: (payload) => new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header).sign(open.privateKey)
		};
	}
};
function sameSeal(one, other) {
	return one.kid === other.kid && one.alg === other.alg && one.publicJwk === other.publicJwk && one.sealed === other.sealed;
}

// packages/server/dist/standard-parts.js
/** The keys that sign, and the groups of routes, that a server has unless it is given others. */
const standardParts = {
	signing: (services) => SigningKeys.open(services),
	features: [policyFeature, eventsFeature]
};

// packages/server/dist/storage/change-record.js
/** Channel on which PostgreSQL tells that there are changes; what they are stands in the table. */
const CHANGE_CHANNEL = "d2_changes";
/** Changes are numbered in the order of commits: the caller holds the lock `change`. */
async function recordChanges(kind, trx, changes, at) {
	const latest = await latestChange(trx);
	const rows = changes.map((change, index) => ({
		seq: latest + index + 1,
		kind: change.kind,
		id: change.id,
		changed_at: at
	}));
	await trx.insertInto("changes").values(rows).execute();
	if (kind === "postgres") await sql`select pg_notify(${CHANGE_CHANNEL}, '')`.execute(trx);
}
/** Number of the latest change; 0: there is none. */
async function latestChange(db) {
	return (await db.selectFrom("changes").select("seq").orderBy("seq", "desc").limit(1).executeTakeFirst())?.seq ?? 0;
}

// packages/server/dist/storage/column-text.js
/** Columns for finding hold this much of a text: PostgreSQL's indexes take no more than 2,704 bytes an entry. */
const FINDABLE = 256;
const LONE_SURROGATES = /\p{Surrogate}/gu;
/**
* A text as both databases keep it. PostgreSQL has no NUL in its texts, SQLite's driver ends them there, and neither has
* half a surrogate pair: each such character becomes U+FFFD, so that no input can make a statement fail.
*/
function columnText(text) {
	return text.replaceAll("\0", "�").replace(LONE_SURROGATES, "�");
}
function findableText(text) {
	return text === null ? null : columnText(text.length > FINDABLE ? text.slice(0, FINDABLE) : text);
}
/** What both drivers can bind. */
function columnValue(value) {
	return typeof value === "string" ? columnText(value) : value;
}
/** Texts that must come back to the byte are kept as bytes. */
function textBytes(text) {
	return Buffer.from(text, "utf8");
}
function bytesText(bytes) {
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

// packages/server/dist/storage/database.js
const LOCKS = {
	migrate: 1680998401,
	change: 1680998402,
	signingKeys: 1680998403
};
/**
* Waits until no other transaction holds the named lock, and holds it to the end of this one. On SQLite every transaction
* of ours holds the write lock from its beginning, so there is nothing to do.
*/
async function lock(kind, trx, name) {
	if (kind === "postgres") await sql`select pg_advisory_xact_lock(${sql.lit(LOCKS[name])})`.execute(trx);
}
/**
* Runs in one transaction; what it throws undoes all of it. Changes that are added to the list are recorded as its very
* last step, under a lock that keeps their numbers in the order of commits: after it no other lock is asked for.
*/
async function write(database, run) {
	const changes = [];
	const result = await database.db.transaction().execute(async (trx) => {
		const value = await run(trx, changes);
		if (changes.length > 0) {
			await lock(database.kind, trx, "change");
			await recordChanges(database.kind, trx, changes, database.clock());
		}
		return value;
	});
	if (changes.length > 0) database.onChange();
	return result;
}
/**
* Rows as a table `given` to select from, with their `position` from 0. All are in one parameter: one for each value would be
* slow on both databases, and more than SQLite takes. The names and types of the columns are ours, never a caller's.
*/
function rowsTable(kind, rows, columns) {
	const json = JSON.stringify(rows.map((row) => row.map(columnValue)));
	const fields = columns.map(([name, type], index) => kind === "postgres" ? sql`(value ->> ${sql.lit(index)})::${sql.raw(type)} as ${sql.id(name)}` : sql`value ->> ${sql.lit(index)} as ${sql.id(name)}`);
	const source = kind === "postgres" ? sql`ordinality - 1 as position from jsonb_array_elements(${json}::jsonb) with ordinality` : sql`key as position from json_each(${json})`;
	return sql`(select ${sql.join(fields)}, ${source}) as given`;
}

// packages/server/dist/storage/accounts.js
function accountOf(row) {
	return {
		id: row.id,
		name: row.name,
		plan: row.plan,
		createdAt: row.created_at
	};
}
function appOf(row) {
	return {
		id: row.id,
		accountId: row.account_id,
		name: row.name,
		createdAt: row.created_at,
		currentVersion: row.current_version,
		revokedAt: row.revoked_at
	};
}
function accountsIn(database) {
	const { db } = database;
	const appsOf = (accountId) => db.selectFrom("apps").selectAll().where("account_id", "=", accountId);
	return {
		createAccount: ({ id, name, plan, createdAt }) => write(database, async (trx, changes) => {
			await trx.insertInto("accounts").values({
				id,
				name,
				plan,
				created_at: createdAt
			}).execute();
			await trx.insertInto("event_counters").values({
				account_id: id,
				latest: 0
			}).execute();
			changes.push({
				kind: "account",
				id
			});
		}),
		async account(id) {
			const row = await db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
			return row && accountOf(row);
		},
		async accounts() {
			return (await db.selectFrom("accounts").selectAll().orderBy("created_at").orderBy("id").execute()).map(accountOf);
		},
		createApp: (app) => write(database, async (trx, changes) => {
			if (await trx.insertInto("apps").values({
				id: app.id,
				account_id: app.accountId,
				name: app.name,
				created_at: app.createdAt,
				current_version: app.currentVersion,
				revoked_at: app.revokedAt
			}).onConflict((conflict) => conflict.columns(["account_id", "name"]).doNothing()).returning("id").executeTakeFirst() === void 0) return false;
			changes.push({
				kind: "app",
				id: app.id
			});
			return true;
		}),
		async app(accountId, id) {
			const row = await appsOf(accountId).where("id", "=", id).executeTakeFirst();
			return row && appOf(row);
		},
		async appByName(accountId, name) {
			const row = await appsOf(accountId).where("name", "=", name).executeTakeFirst();
			return row && appOf(row);
		},
		async apps(accountId) {
			return (await appsOf(accountId).orderBy("name").execute()).map(appOf);
		},
		async countApps(accountId) {
			const { count } = await db.selectFrom("apps").select(({ fn }) => fn.countAll().as("count")).where("account_id", "=", accountId).executeTakeFirstOrThrow();
			return count;
		}
	};
}

// packages/server/dist/storage/postgres-dialect.js
const INT8 = 20;
const CONNECT_TIMEOUT = 1e4;
/** All integers of ours are below 2^53, so they are read as numbers. */
const types = { getTypeParser: ((oid, format) => oid === INT8 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format)) };
/**
* A session's settings. Commits wait for the disk, whatever the database's default; a stricter default stands. Transactions
* see what was committed before each statement, which our locks rely on.
*/
const SESSION = `select
  set_config('synchronous_commit', case when current_setting('synchronous_commit') in ('off', 'local')
    then 'on' else current_setting('synchronous_commit') end, false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('statement_timeout', '60s', false),
  set_config('idle_in_transaction_session_timeout', '60s', false)`;
/** How a client connects, for the pool and for the one that listens. @throws StorageError `unreachable` for a bad address */
function clientConfig(url) {
	return {
		connectionString: url,
		connectionTimeoutMillis: CONNECT_TIMEOUT,
		keepAlive: true,
		application_name: "d2-server",
		types
	};
}
var PostgresDialect = class {
	#options;
	constructor(options) {
		this.#options = options;
	}
	createDriver() {
		return new PostgresDriver(this.#options);
	}
	createQueryCompiler() {
		return new PostgresQueryCompiler();
	}
	createAdapter() {
		return new PostgresAdapter();
	}
	createIntrospector(...args) {
		return new PostgresIntrospector(...args);
	}
};
var PostgresDriver = class {
	#pool;
	/** Clients whose session has its settings. */
	#ready = /* @__PURE__ */ new WeakSet();
	constructor({ url, poolSize, logger }) {
		try {
			this.#pool = new pg.Pool({
				...clientConfig(url),
				max: poolSize
			});
		} catch (error) {
			throw connectionError(error);
		}
		const lost = (error) => {
			logger?.warn({ code: connectionError(error).databaseCode }, "lost a connection to the database");
		};
		this.#pool.on("error", lost);
		this.#pool.on("connect", (client) => client.on("error", lost));
	}
	async init() {}
	async acquireConnection() {
		let client;
		try {
			client = await this.#pool.connect();
		} catch (error) {
			throw connectionError(error);
		}
		if (!this.#ready.has(client)) {
			try {
				await client.query(SESSION);
			} catch (error) {
				client.release(true);
				throw connectionError(error);
			}
			this.#ready.add(client);
		}
		return new PostgresConnection(client);
	}
	async beginTransaction(connection) {
		await connection.run("begin");
	}
	async commitTransaction(connection) {
		await connection.run("commit");
	}
	async rollbackTransaction(connection) {
		await connection.rollback();
	}
	async releaseConnection(connection) {
		connection.release();
	}
	async destroy() {
		await this.#pool.end();
	}
};
var PostgresConnection = class {
	#client;
	/** Not to be used again: nobody knows what state its session is in. */
	#broken = false;
	constructor(client) {
		this.#client = client;
	}
	async run(statement) {
		try {
			await this.#client.query(statement);
		} catch (error) {
			throw statementError(error);
		}
	}
	/** The error that led here is what the caller must see; where this fails too, the session's end undoes everything. */
	async rollback() {
		try {
			await this.#client.query("rollback");
		} catch {
			this.#broken = true;
		}
	}
	async executeQuery({ sql, parameters }) {
		try {
			const result = await this.#client.query(sql, parameters.map(columnValue));
			return {
				rows: result.rows,
				numAffectedRows: BigInt(result.rowCount ?? 0)
			};
		} catch (error) {
			throw statementError(error);
		}
	}
	async *streamQuery() {
		throw new StorageError("failed", "rows cannot be streamed: ask for fewer at a time");
	}
	release() {
		this.#client.release(this.#broken);
	}
};

// packages/server/dist/storage/postgres-bell.js
const FIRST_DELAY = 500;
const LONGEST_DELAY = 3e4;
/** Rings at each NOTIFY. Listens on a connection of its own, and makes a new one when that is lost. */
var PostgresBell = class {
	#url;
	#ring;
	#logger;
	#client;
	#retry;
	#delay = FIRST_DELAY;
	#connecting;
	#closed = false;
	constructor(url, ring, logger) {
		this.#url = url;
		this.#ring = ring;
		this.#logger = logger;
		this.#connecting = this.#connect();
	}
	async close() {
		this.#closed = true;
		clearTimeout(this.#retry);
		await this.#connecting;
		await this.#client?.end();
	}
	async #connect() {
		const client = new pg.Client(clientConfig(this.#url));
		let lost = false;
		const lose = (error) => {
			if (lost || this.#closed) return;
			lost = true;
			this.#client = void 0;
			this.#logger?.warn({ code: connectionError(error).databaseCode }, "not listening for changes; will reconnect");
			this.#retry = setTimeout(() => {
				this.#connecting = this.#connect();
			}, this.#delay).unref();
			this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
		};
		client.on("error", lose);
		client.on("end", () => lose());
		client.on("notification", this.#ring);
		this.#client = client;
		try {
			await client.connect();
			await client.query(`listen ${CHANGE_CHANNEL}`);
			this.#delay = FIRST_DELAY;
			this.#logger?.info({}, "listening for changes");
			this.#ring();
		} catch (error) {
			lose(error);
			if (!lost) return;
			await client.end().catch(() => void 0);
		}
	}
};

// packages/server/dist/storage/change-feed.js
/**
* Tells listeners what changed. What changed stands in a table, numbered in the order of commits; a bell (a commit of this
* process, PostgreSQL's NOTIFY) only says when to look, and a look each interval makes up for a bell that was not heard.
*/
var ChangeFeed = class {
	#options;
	#listeners = /* @__PURE__ */ new Set();
	#latest;
	#timer;
	#bell;
	#reading;
	#rung = false;
	#failing = false;
	constructor(options) {
		this.#options = options;
		this.#latest = options.latest;
	}
	watch(tell) {
		const listener = { tell };
		this.#listeners.add(listener);
		this.#start();
		return () => {
			if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
		};
	}
	/** There may be something new. */
	ring() {
		if (this.#timer === void 0) return;
		this.#rung = true;
		this.#reading ??= this.#read();
	}
	async close() {
		this.#listeners.clear();
		await this.#stop();
	}
	#start() {
		if (this.#timer !== void 0) return;
		const { database, pollInterval, url } = this.#options;
		this.#timer = setInterval(() => this.ring(), pollInterval).unref();
		if (url !== void 0) this.#bell = new PostgresBell(url, () => this.ring(), database.logger);
		this.ring();
	}
	async #stop() {
		clearInterval(this.#timer);
		this.#timer = void 0;
		const bell = this.#bell;
		this.#bell = void 0;
		await Promise.all([bell?.close(), this.#reading]);
	}
	async #read() {
		const { database } = this.#options;
		try {
			while (this.#rung) {
				this.#rung = false;
				const rows = await database.db.selectFrom("changes").selectAll().where("seq", ">", this.#latest).orderBy("seq").execute();
				for (const { seq, kind, id } of rows) {
					this.#latest = seq;
					this.#tell({
						kind,
						id
					});
				}
			}
			this.#failing = false;
		} catch (error) {
			const code = error instanceof StorageError ? error.databaseCode ?? error.code : "unknown";
			if (!this.#failing) database.logger?.warn({ code }, "cannot read what changed; will go on trying");
			this.#failing = true;
		} finally {
			this.#reading = void 0;
		}
	}
	#tell(change) {
		for (const listener of this.#listeners) try {
			listener.tell(change);
		} catch {
			this.#options.database.logger?.warn({ kind: change.kind }, "a listener to changes failed");
		}
	}
};

// packages/server/dist/storage/ingest.js
const HOUR = 36e5;
/** Beginning of the hour that an instant is in. */
const hourOf = (instant) => Math.floor(instant / HOUR) * HOUR;
const EVENT_COLUMNS = [
	["type", "text"],
	["occurred_at", "bigint"],
	["tool", "text"],
	["user_id", "text"],
	["result", "text"],
	["reason", "text"],
	["payload", "text"]
];
const ROLLUP_COLUMNS = [
	["hour", "bigint"],
	["tool", "text"],
	["result", "text"],
	["reason", "text"],
	["count", "bigint"]
];
function eventRow(event) {
	return [
		findableText(event.type),
		event.occurredAt,
		findableText(event.tool),
		findableText(event.user),
		findableText(event.result),
		findableText(event.reason),
		event.payload
	];
}
/** How often each thing happened in each hour, of the events that have a result. */
function counted(events) {
	const counts = /* @__PURE__ */ new Map();
	for (const { occurredAt, tool, result, reason } of events) {
		if (result === null) continue;
		const hour = hourOf(occurredAt);
		const words = [
			tool ?? "",
			result,
			reason ?? ""
		].map((word) => findableText(word));
		const key = JSON.stringify([hour, ...words]);
		const known = counts.get(key);
		if (known === void 0) counts.set(key, [
			hour,
			...words,
			1
		]);
		else known[4]++;
	}
	return [...counts.values()];
}
const keyOf = ({ accountId, appId, batchId }) => JSON.stringify([
	accountId,
	appId,
	batchId
]);
/** @returns the events of each app together, by account and app */
function rowsOf(kind, batches) {
	const apps = /* @__PURE__ */ new Map();
	for (const batch of batches) {
		const key = JSON.stringify([batch.accountId, batch.appId]);
		const list = apps.get(key);
		if (list === void 0) apps.set(key, [batch]);
		else list.push(batch);
	}
	return [...apps.values()].flatMap((list) => {
		const [first] = list;
		const events = list.flatMap((batch) => batch.events);
		if (first === void 0 || events.length === 0) return [];
		const counts = counted(events);
		return {
			accountId: first.accountId,
			appId: first.appId,
			size: events.length,
			events: rowsTable(kind, events.map(eventRow), EVENT_COLUMNS),
			counts: counts.length === 0 ? void 0 : rowsTable(kind, counts, ROLLUP_COLUMNS)
		};
	});
}
/**
* Stores batches in one transaction, all or none.
*
* INVARIANT: of transactions at once none waits for one that waits for it: each takes its batches' ids first and then the
* accounts' counters, both in one order.
*
* @returns outcomes in the order of the batches
*/
async function ingestBatches(database, batches, receivedAt) {
	const { kind } = database;
	const byKey = /* @__PURE__ */ new Map();
	for (const batch of batches) {
		const key = keyOf(batch);
		if (!byKey.has(key)) byKey.set(key, batch);
	}
	const different = [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
	if (different.length === 0) return [];
	const all = rowsOf(kind, different);
	const outcomes = await write(database, async (trx) => {
		const taken = await takeIds(trx, different, receivedAt);
		await insertEvents(trx, taken.size === different.length ? all : rowsOf(kind, different.filter((it) => taken.has(it))), receivedAt);
		const known = /* @__PURE__ */ new Map();
		for (const batch of different) known.set(batch, taken.has(batch) ? {
			accepted: batch.events.length,
			duplicate: false
		} : {
			accepted: await acceptedBefore(trx, batch),
			duplicate: true
		});
		return known;
	});
	return batches.map((batch) => {
		const first = byKey.get(keyOf(batch)) ?? batch;
		const outcome = outcomes.get(first) ?? {
			accepted: batch.events.length,
			duplicate: false
		};
		return first === batch ? outcome : {
			...outcome,
			duplicate: true
		};
	});
}
/** On PostgreSQL a second transaction with one of the batches waits here until the first has ended. */
async function takeIds(trx, batches, receivedAt) {
	const rows = await trx.insertInto("batches").values(batches.map(({ accountId, appId, batchId, events }) => ({
		account_id: accountId,
		app_id: appId,
		batch_id: batchId,
		accepted: events.length,
		received_at: receivedAt
	}))).onConflict((conflict) => conflict.doNothing()).returning([
		"account_id",
		"app_id",
		"batch_id"
	]).execute();
	const taken = new Set(rows.map((row) => keyOf({
		accountId: row.account_id,
		appId: row.app_id,
		batchId: row.batch_id
	})));
	return new Set(batches.filter((batch) => taken.has(keyOf(batch))));
}
async function acceptedBefore(trx, batch) {
	return (await trx.selectFrom("batches").select("accepted").where("account_id", "=", batch.accountId).where("app_id", "=", batch.appId).where("batch_id", "=", batch.batchId).executeTakeFirst())?.accepted ?? batch.events.length;
}
async function insertEvents(trx, apps, receivedAt) {
	const sizes = /* @__PURE__ */ new Map();
	for (const { accountId, size } of apps) sizes.set(accountId, (sizes.get(accountId) ?? 0) + size);
	const next = /* @__PURE__ */ new Map();
	for (const [accountId, size] of sizes) next.set(accountId, await takeNumbers(trx, accountId, size));
	for (const { accountId, appId, size, events, counts } of apps) {
		const first = next.get(accountId) ?? 0;
		next.set(accountId, first + size);
		await sql`insert into events
        (account_id, app_id, received_at, id, type, occurred_at, tool, user_id, result, reason, payload)
      select cast(${accountId} as text), cast(${appId} as text), cast(${receivedAt} as bigint),
        cast(${first} as bigint) + given.position,
        type, occurred_at, tool, user_id, result, reason, payload
      from ${events}`.execute(trx);
		if (counts === void 0) continue;
		await sql`insert into rollups (account_id, app_id, hour, tool, result, reason, count)
      select cast(${accountId} as text), cast(${appId} as text), hour, tool, result, reason, count
      from ${counts} where true
      on conflict (account_id, hour, app_id, tool, result, reason)
      do update set count = rollups.count + excluded.count`.execute(trx);
	}
}
/**
* INVARIANT: ids of an account ascend in the order of commits, as its counter's row stays locked until then. So who reads
* on from the highest id that it saw misses nothing.
*
* @returns the first of that many ids
*/
async function takeNumbers(trx, accountId, size) {
	const counter = await trx.updateTable("event_counters").set(({ eb }) => ({ latest: eb("latest", "+", size) })).where("account_id", "=", accountId).returning("latest").executeTakeFirst();
	if (counter === void 0) throw new StorageError("unknown_account", "there is no account with the given `accountId`");
	return counter.latest - size + 1;
}

// packages/server/dist/storage/events.js
/** Events that SQLite reads at once: some ten milliseconds. */
const SCANNED = 1e4;
function eventOf(row) {
	return {
		id: String(row.id),
		appId: row.app_id,
		type: row.type,
		occurredAt: row.occurred_at,
		receivedAt: row.received_at,
		tool: row.tool,
		user: row.user_id,
		result: row.result,
		reason: row.reason,
		payload: row.payload
	};
}
function idOf(text) {
	if (!/^\d{1,15}$/.test(text)) throw new StorageError("invalid", "`after` is not the id of an event: give one as it was told");
	return Number(text);
}
/** @param ids only these, first and last included */
async function eventsWhere(db, query, ids) {
	const newest = query.order === "newest";
	let rows = db.selectFrom("events").selectAll().where("account_id", "=", query.accountId);
	if (query.appId !== void 0) rows = rows.where("app_id", "=", query.appId);
	if (query.from !== void 0) rows = rows.where("occurred_at", ">=", query.from);
	if (query.to !== void 0) rows = rows.where("occurred_at", "<", query.to);
	if (query.type !== void 0) rows = rows.where("type", "=", findableText(query.type));
	if (query.tool !== void 0) rows = rows.where("tool", "=", findableText(query.tool));
	if (query.user !== void 0) rows = rows.where("user_id", "=", findableText(query.user));
	if (query.result !== void 0) rows = rows.where("result", "=", findableText(query.result));
	if (query.reason !== void 0) rows = rows.where("reason", "=", findableText(query.reason));
	if (query.after !== void 0) rows = rows.where("id", newest ? "<" : ">", idOf(query.after));
	if (ids !== void 0) rows = rows.where("id", ">=", ids[0]).where("id", "<=", ids[1]);
	return (await rows.orderBy("id", newest ? "desc" : "asc").limit(query.limit).execute()).map(eventOf);
}
/**
* SQLite looks in this thread. A filter that few events pass would make it read all of them at once; so it reads some, and
* lets others in between.
*/
async function eventsInPieces(db, query) {
	const newest = query.order === "newest";
	const end = (order) => db.selectFrom("events").select("id").where("account_id", "=", query.accountId).orderBy("id", order).limit(1).executeTakeFirst();
	let low = (await end("asc"))?.id ?? 1;
	let high = (await end("desc"))?.id ?? 0;
	if (query.after !== void 0) {
		if (newest) high = Math.min(high, idOf(query.after) - 1);
		else low = Math.max(low, idOf(query.after) + 1);
	}
	const found = [];
	while (low <= high && found.length < query.limit) {
		const piece = newest ? [Math.max(low, high - SCANNED + 1), high] : [low, Math.min(high, low + SCANNED - 1)];
		found.push(...await eventsWhere(db, {
			...query,
			limit: query.limit - found.length
		}, piece));
		if (newest) high = piece[0] - 1;
		else low = piece[1] + 1;
		await setImmediate();
	}
	return found;
}
function eventsIn(database) {
	const { db, kind } = database;
	return {
		async ingest(accountId, appId, batchId, events, receivedAt) {
			const [outcome] = await ingestBatches(database, [{
				accountId,
				appId,
				batchId,
				events
			}], receivedAt);
			return outcome ?? {
				accepted: events.length,
				duplicate: false
			};
		},
		ingestMany: (batches, receivedAt) => ingestBatches(database, batches, receivedAt),
		events: (query) => kind === "sqlite" ? eventsInPieces(db, query) : eventsWhere(db, query),
		async rollups({ accountId, appId, from, to }) {
			let rows = db.selectFrom("rollups").selectAll().where("account_id", "=", accountId).where("hour", ">=", hourOf(from)).where("hour", "<", to);
			if (appId !== void 0) rows = rows.where("app_id", "=", appId);
			return (await rows.orderBy("hour").orderBy("app_id").orderBy("tool").orderBy("result").orderBy("reason").execute()).map((row) => ({
				appId: row.app_id,
				hour: row.hour,
				tool: row.tool,
				result: row.result,
				reason: row.reason,
				count: row.count
			}));
		}
	};
}

// packages/server/dist/storage/migrations/0001-first-schema.js
const firstSchema = {
	version: 1,
	name: "first-schema",
	statements: ({ text, integer, bytes, clustered }) => [
		`create table accounts (
      id ${text} not null primary key,
      name ${text} not null,
      plan ${text} not null,
      created_at ${integer} not null
    )`,
		`create table apps (
      id ${text} not null primary key,
      account_id ${text} not null references accounts (id),
      name ${text} not null,
      created_at ${integer} not null,
      current_version ${integer} not null,
      revoked_at ${integer},
      unique (account_id, name)
    )`,
		`create table tokens (
      id ${text} not null primary key,
      account_id ${text} not null references accounts (id),
      kind ${text} not null,
      scopes ${text} not null,
      app_id ${text} references apps (id),
      name ${text} not null,
      digest ${text} not null unique,
      created_at ${integer} not null,
      last_used_at ${integer},
      revoked_at ${integer}
    )`,
		"create index tokens_by_account on tokens (account_id)",
		`create table uploader_keys (
      account_id ${text} not null references accounts (id),
      key_id ${text} not null,
      public_key ${text} not null,
      created_at ${integer} not null,
      revoked_at ${integer},
      primary key (account_id, key_id)
    )`,
		`create table signing_keys (
      kid ${text} not null primary key,
      alg ${text} not null,
      public_jwk ${text} not null,
      sealed ${text} not null,
      created_at ${integer} not null,
      signs_from ${integer} not null,
      listed_until ${integer},
      rotation_id ${text},
      rotation_reason ${text}
    )`,
		`create table versions (
      app_id ${text} not null references apps (id),
      version ${integer} not null,
      text ${bytes} not null,
      format ${text} not null,
      policy_digest ${text} not null,
      content_digest ${text} not null,
      published_at ${integer} not null,
      published_by ${text} not null,
      key_id ${text},
      signature ${text},
      rollback_of ${integer},
      primary key (app_id, version)
    )`,
		`create table drafts (
      app_id ${text} not null primary key references apps (id),
      text ${bytes} not null,
      format ${text} not null,
      base_version ${integer} not null,
      updated_at ${integer} not null,
      updated_by ${text} not null,
      diagnostics ${text} not null
    )`,
		`create table nonces (
      app_id ${text} not null references apps (id),
      value ${text} not null,
      until ${integer} not null,
      primary key (app_id, value)
    )${clustered}`,
		"create index nonces_by_end on nonces (until)",
		`create table batches (
      account_id ${text} not null,
      app_id ${text} not null,
      batch_id ${text} not null,
      accepted ${integer} not null,
      received_at ${integer} not null,
      primary key (account_id, app_id, batch_id)
    )${clustered}`,
		"create index batches_by_arrival on batches (received_at)",
		`create table event_counters (
      account_id ${text} not null primary key references accounts (id),
      latest ${integer} not null
    )`,
		`create table events (
      account_id ${text} not null,
      id ${integer} not null,
      app_id ${text} not null,
      type ${text} not null,
      occurred_at ${integer} not null,
      received_at ${integer} not null,
      tool ${text},
      user_id ${text},
      result ${text},
      reason ${text},
      payload ${text} not null,
      primary key (account_id, id)
    )${clustered}`,
		"create index events_by_app on events (app_id, id)",
		`create table rollups (
      account_id ${text} not null,
      hour ${integer} not null,
      app_id ${text} not null,
      tool ${text} not null,
      result ${text} not null,
      reason ${text} not null,
      count ${integer} not null,
      primary key (account_id, hour, app_id, tool, result, reason)
    )${clustered}`,
		`create table changes (
      seq ${integer} not null primary key,
      kind ${text} not null,
      id ${text} not null,
      changed_at ${integer} not null
    )`
	]
};

// packages/server/dist/storage/migrations/0002-find-events.js
/** Denials are few among many events, and are what is looked for: they are found without reading the others. */
const findEvents = {
	version: 2,
	name: "find-events",
	statements: () => ["create index events_by_result on events (account_id, result, id) where result is not null"]
};

// packages/server/dist/storage/migrations/migrations.js
/** All of them, in their order. */
const migrations = Object.freeze([firstSchema, findEvents]);
/** The schema that this program reads and writes. */
const programSchema = migrations.length;

// packages/server/dist/storage/migrate.js
const WORDS = Object.freeze({
	sqlite: {
		text: "text",
		integer: "integer",
		bytes: "blob",
		clustered: " without rowid"
	},
	postgres: {
		text: "text collate \"C\"",
		integer: "bigint",
		bytes: "bytea",
		clustered: ""
	}
});
/** Schema of the database; 0: it has none. */
async function readSchema({ kind, db }) {
	if ((await (kind === "postgres" ? sql`select 1 from information_schema.tables
          where table_schema = current_schema() and table_name = 'schema_versions'` : sql`select 1 from sqlite_schema where type = 'table' and name = 'schema_versions'`).execute(db)).rows.length === 0) return 0;
	return (await db.selectFrom("schema_versions").select("version").orderBy("version", "desc").limit(1).executeTakeFirst())?.version ?? 0;
}
/** @throws StorageError `schema_older`, `schema_newer` */
function assertProgramSchema(schema) {
	refuseNewer(schema);
	if (schema < programSchema) throw new StorageError("schema_older", `the database has schema ${schema}, and this program needs ${programSchema}: run \`d2-server migrate\``);
}
function refuseNewer(schema) {
	if (schema > programSchema) throw new StorageError("schema_newer", `the database has schema ${schema}, and this program knows up to ${programSchema}: use a newer \`d2-server\``);
}
/**
* Brings the schema forward, each step in a transaction of its own. Of several that start at once one takes a step, and the
* others find it taken.
*
* @param to stop at this schema; default: the newest
* @throws StorageError `schema_newer`
*/
async function migrateDatabase(database, to = programSchema) {
	const applied = [];
	let from;
	for (;;) {
		const { schema, taken } = await write(database, (trx) => nextStep(database, trx, to));
		from ??= schema;
		if (taken === void 0) return {
			from,
			to: schema,
			applied
		};
		applied.push(taken);
	}
}
/** @returns the schema before, and the name of the step that was taken, if one was left */
async function nextStep({ kind, clock }, trx, to) {
	if (kind === "postgres") await sql`set local statement_timeout = 0`.execute(trx);
	await lock(kind, trx, "migrate");
	const schema = await readSchema({
		kind,
		db: trx
	});
	refuseNewer(schema);
	const next = schema < to ? migrations[schema] : void 0;
	if (next === void 0) return {
		schema,
		taken: void 0
	};
	const words = WORDS[kind];
	for (const statement of [schemaTable(words), ...next.statements(words)]) await sql.raw(statement).execute(trx);
	await trx.insertInto("schema_versions").values({
		version: next.version,
		name: next.name,
		applied_at: clock()
	}).execute();
	return {
		schema,
		taken: next.name
	};
}
function schemaTable({ text, integer }) {
	return `create table if not exists schema_versions (
    version ${integer} not null primary key,
    name ${text} not null,
    applied_at ${integer} not null
  )`;
}

// packages/server/dist/storage/policies.js
const VERSION_COLUMNS = [
	"app_id",
	"version",
	"format",
	"policy_digest",
	"content_digest",
	"published_at",
	"published_by",
	"key_id",
	"signature",
	"rollback_of"
];
function versionOf(row) {
	return {
		appId: row.app_id,
		version: row.version,
		format: row.format,
		policyDigest: row.policy_digest,
		contentDigest: row.content_digest,
		publishedAt: row.published_at,
		publishedBy: row.published_by,
		keyId: row.key_id,
		signature: row.signature,
		rollbackOf: row.rollback_of
	};
}
function draftOf(row) {
	return {
		appId: row.app_id,
		text: bytesText(row.text),
		format: row.format,
		baseVersion: row.base_version,
		updatedAt: row.updated_at,
		updatedBy: row.updated_by,
		diagnostics: row.diagnostics
	};
}
function policiesIn(database) {
	const { db, kind } = database;
	return {
		publish: (version) => write(database, (trx, changes) => publish(kind, trx, version, changes)),
		async version(appId, version) {
			const row = await db.selectFrom("versions").selectAll().where("app_id", "=", appId).where("version", "=", version).executeTakeFirst();
			return row && {
				...versionOf(row),
				text: bytesText(row.text)
			};
		},
		async versions(appId, limit) {
			return (await db.selectFrom("versions").select(VERSION_COLUMNS).where("app_id", "=", appId).orderBy("version", "desc").limit(limit).execute()).map(versionOf);
		},
		revokeApp: (accountId, appId, at) => write(database, async (trx, changes) => {
			if (await trx.updateTable("apps").set({ revoked_at: at }).where("account_id", "=", accountId).where("id", "=", appId).where("revoked_at", "is", null).where("current_version", ">", 0).returning("id").executeTakeFirst() === void 0) return false;
			changes.push({
				kind: "app",
				id: appId
			});
			return true;
		}),
		saveDraft: (draft) => write(database, async (trx, changes) => {
			const values = {
				text: textBytes(draft.text),
				format: draft.format,
				base_version: draft.baseVersion,
				updated_at: draft.updatedAt,
				updated_by: draft.updatedBy,
				diagnostics: draft.diagnostics
			};
			await trx.insertInto("drafts").values({
				app_id: draft.appId,
				...values
			}).onConflict((conflict) => conflict.column("app_id").doUpdateSet(values)).execute();
			changes.push({
				kind: "app",
				id: draft.appId
			});
		}),
		async draft(appId) {
			const row = await db.selectFrom("drafts").selectAll().where("app_id", "=", appId).executeTakeFirst();
			return row && draftOf(row);
		}
	};
}
/**
* INVARIANT: an app's `current_version` is its highest version, and changes only here, by one, while its row is locked. So
* of those who publish at once each sees what the one before it did.
*/
async function publish(kind, trx, given, changes) {
	const { appId, nonce, expectedVersion, publishedAt } = given;
	const app = await trx.selectFrom("apps").select("current_version").where("id", "=", appId).$if(kind === "postgres", (query) => query.forUpdate()).executeTakeFirst();
	if (app === void 0) throw new StorageError("unknown_app", "there is no app with the given `appId`");
	if (nonce !== void 0 && await isUsed(trx, appId, nonce.value)) return { outcome: "replayed" };
	const currentVersion = app.current_version;
	if (expectedVersion !== void 0 && expectedVersion !== currentVersion) return {
		outcome: "conflict",
		currentVersion
	};
	if (nonce !== void 0) {
		await trx.deleteFrom("nonces").where("app_id", "=", appId).where("until", "<", publishedAt).execute();
		await trx.insertInto("nonces").values({
			app_id: appId,
			...nonce
		}).execute();
	}
	const version = {
		appId,
		version: currentVersion + 1,
		text: given.text,
		format: given.format,
		policyDigest: given.policyDigest,
		contentDigest: given.contentDigest,
		publishedAt,
		publishedBy: given.publishedBy,
		keyId: given.keyId,
		signature: given.signature,
		rollbackOf: given.rollbackOf
	};
	await trx.insertInto("versions").values({
		app_id: appId,
		version: version.version,
		text: textBytes(version.text),
		format: version.format,
		policy_digest: version.policyDigest,
		content_digest: version.contentDigest,
		published_at: version.publishedAt,
		published_by: version.publishedBy,
		key_id: version.keyId,
		signature: version.signature,
		rollback_of: version.rollbackOf
	}).execute();
	await trx.updateTable("apps").set({
		current_version: version.version,
		revoked_at: null
	}).where("id", "=", appId).execute();
	if (version.rollbackOf === null) await trx.deleteFrom("drafts").where("app_id", "=", appId).execute();
	changes.push({
		kind: "app",
		id: appId
	});
	return {
		outcome: "published",
		version
	};
}
async function isUsed(trx, appId, nonce) {
	return await trx.selectFrom("nonces").select("value").where("app_id", "=", appId).where("value", "=", nonce).executeTakeFirst() !== void 0;
}

// packages/server/dist/storage/retention.js
/** Rows removed at once: on SQLite some ten milliseconds of this thread, on PostgreSQL a short transaction. */
const PIECE = 2e3;
/** How long changes stand in their table; every server reads them each second. */
const CHANGES_KEPT = 6048e5;
/** Removes piece after piece, and lets others in between. @returns how many rows */
async function inPieces(remove) {
	let removed = 0;
	for (;;) {
		const piece = Number((await remove()).numDeletedRows);
		removed += piece;
		if (piece === 0) return removed;
		await setImmediate();
	}
}
/**
* Events of an account are numbered in the order of arrival, so the old ones are the first: no index is needed to find
* them. Servers' clocks differ a little; what that leaves behind goes the next time.
*/
async function removeEvents(db, accountId, instant) {
	return await inPieces(async () => {
		const last = await db.selectFrom(db.selectFrom("events").select(["id", "received_at"]).where("account_id", "=", accountId).orderBy("id").limit(PIECE).as("first")).select(({ fn }) => fn.max("id").as("id")).where("received_at", "<", instant).executeTakeFirst();
		if (last === void 0 || last.id === null) return { numDeletedRows: 0n };
		return await db.deleteFrom("events").where("account_id", "=", accountId).where("id", "<=", last.id).where("received_at", "<", instant).executeTakeFirstOrThrow();
	});
}
function retentionIn({ db, clock }) {
	return { async removeBefore(instant) {
		let removed = 0;
		for (const { id } of await db.selectFrom("accounts").select("id").execute()) removed += await removeEvents(db, id, instant);
		await inPieces(() => db.deleteFrom("batches").where(({ eb, refTuple, selectFrom }) => eb(refTuple("account_id", "app_id", "batch_id"), "in", selectFrom("batches").select([
			"account_id",
			"app_id",
			"batch_id"
		]).where("received_at", "<", instant).orderBy("received_at").limit(PIECE).$asTuple("account_id", "app_id", "batch_id"))).executeTakeFirstOrThrow());
		await db.deleteFrom("nonces").where("until", "<", instant).execute();
		await db.deleteFrom("changes").where("changed_at", "<", clock() - CHANGES_KEPT).where("seq", "<", ({ selectFrom }) => selectFrom("changes").select(({ fn }) => fn.max("seq").as("seq"))).execute();
		return removed;
	} };
}

// packages/server/dist/storage/signing-keys.js
function signingKeyOf(row) {
	const { rotation_id: id, rotation_reason: reason } = row;
	return {
		kid: row.kid,
		alg: row.alg,
		publicJwk: row.public_jwk,
		sealed: row.sealed,
		createdAt: row.created_at,
		signsFrom: row.signs_from,
		listedUntil: row.listed_until,
		rotation: id === null ? null : {
			id,
			reason: reason ?? ""
		}
	};
}
function rowOf(key) {
	return {
		kid: key.kid,
		alg: key.alg,
		public_jwk: key.publicJwk,
		sealed: key.sealed,
		created_at: key.createdAt,
		signs_from: key.signsFrom,
		listed_until: key.listedUntil,
		rotation_id: key.rotation?.id ?? null,
		rotation_reason: key.rotation?.reason ?? null
	};
}
function signingKeysIn(database) {
	const { db, kind } = database;
	return {
		async signingKeys() {
			return (await db.selectFrom("signing_keys").selectAll().orderBy("created_at").orderBy("signs_from").orderBy("kid").execute()).map(signingKeyOf);
		},
		addSigningKey: (key, othersListedUntil) => write(database, async (trx, changes) => {
			await lock(kind, trx, "signingKeys");
			if (othersListedUntil !== null) await trx.updateTable("signing_keys").set({ listed_until: othersListedUntil }).where(({ or, eb }) => or([eb("listed_until", "is", null), eb("listed_until", ">", othersListedUntil)])).execute();
			await trx.insertInto("signing_keys").values(rowOf(key)).execute();
			changes.push({
				kind: "signing_keys",
				id: ""
			});
		}),
		addFirstSigningKey: (key) => write(database, async (trx, changes) => {
			await lock(kind, trx, "signingKeys");
			if (await trx.selectFrom("signing_keys").select("kid").limit(1).executeTakeFirst() !== void 0) return false;
			await trx.insertInto("signing_keys").values(rowOf(key)).execute();
			changes.push({
				kind: "signing_keys",
				id: ""
			});
			return true;
		})
	};
}

// packages/server/dist/storage/sqlite-dialect.js
/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_TIMEOUT = 5e3;
/** Prepared statements that are kept; our code has fewer. */
const PREPARED = 200;
const SETTINGS = [
	"journal_mode = wal",
	"synchronous = full",
	"foreign_keys = on",
	`busy_timeout = ${BUSY_TIMEOUT}`,
	"trusted_schema = off"
];
/**
* Opens the file, and makes it if it is not there, with its folder: both are for their owner only, as the file holds keys.
*
* @throws StorageError `unreachable`
*/
function openFile(file) {
	const path = file === ":memory:" ? file : resolve(file);
	try {
		if (path !== ":memory:") {
			mkdirSync(dirname(path), {
				recursive: true,
				mode: 448
			});
			closeSync(openSync(path, "a", 384));
		}
		const database = new SqliteFile(path);
		for (const setting of SETTINGS) database.pragma(setting);
		return database;
	} catch (error) {
		throw connectionError(error);
	}
}
/** SQLite in this process: one connection, used by one caller at a time. */
var SqliteDialect = class {
	#file;
	constructor(file) {
		this.#file = file;
	}
	createDriver() {
		return new SqliteDriver(this.#file);
	}
	createQueryCompiler() {
		return new SqliteQueryCompiler();
	}
	createAdapter() {
		return new SqliteAdapter();
	}
	createIntrospector(...args) {
		return new SqliteIntrospector(...args);
	}
};
var SqliteDriver = class {
	#connection;
	/** Settles when the caller before is done. */
	#turn = Promise.resolve();
	#pass = () => void 0;
	constructor(file) {
		this.#connection = new SqliteConnection(openFile(file));
	}
	async init() {}
	async acquireConnection() {
		const before = this.#turn;
		let pass = () => void 0;
		this.#turn = new Promise((done) => {
			pass = done;
		});
		await before;
		this.#pass = pass;
		return this.#connection;
	}
	async releaseConnection() {
		this.#pass();
	}
	async beginTransaction() {
		await setImmediate();
		this.#connection.run("begin immediate");
	}
	async commitTransaction() {
		this.#connection.run("commit");
	}
	async rollbackTransaction() {
		if (this.#connection.inTransaction) this.#connection.run("rollback");
	}
	async destroy() {
		await this.acquireConnection();
		this.#connection.close();
		this.#pass();
	}
};
var SqliteConnection = class {
	#database;
	#prepared = /* @__PURE__ */ new Map();
	#closed = false;
	constructor(database) {
		this.#database = database;
	}
	get inTransaction() {
		return this.#database.inTransaction;
	}
	run(statement) {
		try {
			this.#statement(statement).run();
		} catch (error) {
			throw statementError(error);
		}
	}
	async executeQuery({ sql, parameters }) {
		try {
			const statement = this.#statement(sql);
			const values = parameters.map(columnValue);
			if (!statement.reader) return {
				rows: [],
				numAffectedRows: BigInt(statement.run(values).changes)
			};
			return { rows: statement.all(values) };
		} catch (error) {
			throw statementError(error);
		}
	}
	async *streamQuery() {
		throw new StorageError("failed", "rows cannot be streamed: ask for fewer at a time");
	}
	close() {
		this.#closed = true;
		this.#prepared.clear();
		this.#database.close();
	}
	#statement(text) {
		if (this.#closed) throw new StorageError("failed", "the storage was closed");
		const known = this.#prepared.get(text);
		if (known !== void 0) return known;
		const statement = this.#database.prepare(text);
		const oldest = this.#prepared.keys().next();
		if (this.#prepared.size >= PREPARED && oldest.done !== true) this.#prepared.delete(oldest.value);
		this.#prepared.set(text, statement);
		return statement;
	}
};

// packages/server/dist/storage/tokens.js
function tokenOf(row) {
	const scopes = JSON.parse(row.scopes);
	return {
		id: row.id,
		accountId: row.account_id,
		kind: row.kind,
		scopes,
		appId: row.app_id,
		name: row.name,
		digest: row.digest,
		createdAt: row.created_at,
		lastUsedAt: row.last_used_at,
		revokedAt: row.revoked_at
	};
}
function tokensIn(database) {
	const { db, kind } = database;
	return {
		createToken: (token) => write(database, async (trx, changes) => {
			await trx.insertInto("tokens").values({
				id: token.id,
				account_id: token.accountId,
				kind: token.kind,
				scopes: JSON.stringify(token.scopes),
				app_id: token.appId,
				name: token.name,
				digest: token.digest,
				created_at: token.createdAt,
				last_used_at: token.lastUsedAt,
				revoked_at: token.revokedAt
			}).execute();
			changes.push({
				kind: "token",
				id: token.id
			});
		}),
		async tokenByDigest(digest) {
			const row = await db.selectFrom("tokens").selectAll().where("digest", "=", digest).executeTakeFirst();
			return row && tokenOf(row);
		},
		async tokens(accountId) {
			return (await db.selectFrom("tokens").selectAll().where("account_id", "=", accountId).orderBy("created_at").orderBy("id").execute()).map(tokenOf);
		},
		revokeToken: (accountId, id, at) => write(database, async (trx, changes) => {
			if (await trx.updateTable("tokens").set({ revoked_at: at }).where("account_id", "=", accountId).where("id", "=", id).where("revoked_at", "is", null).returning("id").executeTakeFirst() === void 0) return false;
			changes.push({
				kind: "token",
				id
			});
			return true;
		}),
		async touchTokens(uses) {
			if (uses.size === 0) return;
			const given = rowsTable(kind, [...uses], [["id", "text"], ["at", "bigint"]]);
			await write(database, async (trx) => {
				if (kind === "postgres") await sql`select 1 from tokens where id in (select id from ${given}) order by id for update`.execute(trx);
				await sql`update tokens set last_used_at = given.at from ${given}
          where tokens.id = given.id and (last_used_at is null or last_used_at < given.at)`.execute(trx);
			});
		}
	};
}

// packages/server/dist/storage/uploader-keys.js
function uploaderKeyOf(row) {
	return {
		accountId: row.account_id,
		keyId: row.key_id,
		publicKey: row.public_key,
		createdAt: row.created_at,
		revokedAt: row.revoked_at
	};
}
function uploaderKeysIn(database) {
	const { db } = database;
	const keysOf = (accountId) => db.selectFrom("uploader_keys").selectAll().where("account_id", "=", accountId);
	return {
		registerUploaderKey: (key) => write(database, async (trx, changes) => {
			if (await trx.insertInto("uploader_keys").values({
				account_id: key.accountId,
				key_id: key.keyId,
				public_key: key.publicKey,
				created_at: key.createdAt,
				revoked_at: key.revokedAt
			}).onConflict((conflict) => conflict.columns(["account_id", "key_id"]).doNothing()).returning("key_id").executeTakeFirst() !== void 0) {
				changes.push({
					kind: "uploader_key",
					id: key.keyId
				});
				return "registered";
			}
			return await trx.selectFrom("uploader_keys").select("key_id").where("account_id", "=", key.accountId).where("key_id", "=", key.keyId).where("public_key", "=", key.publicKey).where("revoked_at", "is", null).executeTakeFirst() === void 0 ? "taken" : "known";
		}),
		async uploaderKey(accountId, keyId) {
			const row = await keysOf(accountId).where("key_id", "=", keyId).executeTakeFirst();
			return row && uploaderKeyOf(row);
		},
		async uploaderKeys(accountId) {
			return (await keysOf(accountId).orderBy("created_at").orderBy("key_id").execute()).map(uploaderKeyOf);
		},
		revokeUploaderKey: (accountId, keyId, at) => write(database, async (trx, changes) => {
			if (await trx.updateTable("uploader_keys").set({ revoked_at: at }).where("account_id", "=", accountId).where("key_id", "=", keyId).where("revoked_at", "is", null).returning("key_id").executeTakeFirst() === void 0) return false;
			changes.push({
				kind: "uploader_key",
				id: keyId
			});
			return true;
		})
	};
}

// packages/server/dist/storage/open-storage.js
function connect({ url, file, clock = Date.now, logger, poolSize = 10 }) {
	if (url !== void 0 && !/^postgres(ql)?:\/\//.test(url)) throw new StorageError("unreachable", "the database's address must begin with `postgres://`; leave it out for SQLite");
	const dialect = url === void 0 ? new SqliteDialect(file) : new PostgresDialect({
		url,
		poolSize,
		logger
	});
	return {
		kind: url === void 0 ? "sqlite" : "postgres",
		db: new Kysely({ dialect }),
		clock,
		logger,
		onChange: () => void 0
	};
}
async function using(options, run) {
	const database = connect(options);
	try {
		return await run(database);
	} finally {
		await database.db.destroy();
	}
}
/**
* Brings the database's schema forward to the one of this program. Several at once do it once.
*
* @param to stop at that schema; for tests of upgrades
* @throws StorageError `schema_newer`, `unreachable`, `failed`
*/
function migrate(options, to) {
	return using(options, (database) => migrateDatabase(database, to));
}
/** Schema of the database, as far as it was migrated; 0: it is empty. `programSchema` is the one that it should have. */
function schemaVersion(options) {
	return using(options, readSchema);
}
/**
* Opens the database that `options` names.
*
* @throws StorageError `schema_older` (see `migrate`), `schema_newer`, `unreachable`
*/
async function openStorage(options) {
	const database = connect(options);
	try {
		if (options.migrate === true) await migrateDatabase(database);
		assertProgramSchema(await readSchema(database));
		const feed = new ChangeFeed({
			database,
			latest: await latestChange(database.db),
			pollInterval: options.pollInterval ?? 1e3,
			url: options.url
		});
		database.onChange = () => feed.ring();
		return storageOf(database, feed);
	} catch (error) {
		await database.db.destroy();
		throw error;
	}
}
function storageOf(database, feed) {
	let closing;
	return {
		database: database.kind,
		async ready() {
			try {
				return await readSchema(database) === programSchema;
			} catch {
				return false;
			}
		},
		close() {
			closing ??= feed.close().then(() => database.db.destroy());
			return closing;
		},
		...accountsIn(database),
		...tokensIn(database),
		...uploaderKeysIn(database),
		...signingKeysIn(database),
		...policiesIn(database),
		...eventsIn(database),
		...retentionIn(database),
		watch: (listener) => feed.watch(listener)
	};
}

// packages/server/dist/server.js
/** The server's log. @param level of the settings */
function createLogger(level) {
	return pino({
		level,
		base: { name: "d2-server" },
		timestamp: pino.stdTimeFunctions.isoTime
	});
}
/**
* Starts a control plane.
*
* @throws SettingsError when a setting cannot be used, StorageError when the database cannot, an error of the system when
* the port cannot
*/
async function startServer(input, parts = {}) {
	const settings = createSettings(input);
	const clock = parts.clock ?? Date.now;
	const logger = parts.logger ?? createLogger(settings.logLevel);
	const ends = [];
	try {
		const storage = parts.storage ?? await openDatabase(settings, clock, logger);
		ends.push(storage);
		let closing = false;
		const base = baseServices({
			...parts,
			storage,
			clock,
			logger
		}, settings, () => closing);
		const signing = await (parts.signing ?? standardParts.signing)(base);
		ends.push(signing);
		const services = {
			...base,
			signing
		};
		const features = [];
		for (const make of parts.features ?? standardParts.features) {
			const feature = await make(services);
			features.push(feature);
			ends.push(feature);
		}
		const admission = new Admission(services);
		ends.push(admission);
		const routes = [...ownRoutes(services, admission), ...features.flatMap((feature) => feature.routes)];
		const listener = await Listener.open(createApp({
			routes,
			services,
			admission
		}), settings, logger);
		ends.push(listener);
		logger.info({
			url: listener.url,
			database: storage.database
		}, "d2-server is listening");
		let ended;
		return {
			url: listener.url,
			services,
			close() {
				closing = true;
				ended ??= endAll(ends).then(() => logger.info("d2-server has stopped"));
				return ended;
			}
		};
	} catch (error) {
		await endAll(ends);
		throw error;
	}
}
/** What routes and commands share, around an open database. */
function baseServices(parts, settings, closing) {
	const { storage, clock, logger, randomBytes: randomBytes$1 = randomBytes } = parts;
	return {
		storage,
		appCreation: new AppCreation({
			storage,
			settings,
			clock,
			randomBytes: randomBytes$1
		}),
		clock,
		monotonic: parts.monotonic ?? (() => performance.now()),
		randomBytes: randomBytes$1,
		logger,
		settings,
		metrics: createMetrics(clock()),
		closing
	};
}
/** The routes of the control plane itself. */
function ownRoutes(services, admission) {
	return [
		...accountRoutes,
		...appRoutes(services.appCreation),
		...tokenRoutes(admission),
		...keyRoutes,
		...signingKeyRoutes,
		...healthRoutes,
		metricsRoute(services.settings.metricsNeedToken)
	];
}
/** The database of the settings; for SQLite its folder is made. @throws StorageError */
async function openDatabase(settings, clock, logger) {
	if (settings.databaseUrl === void 0 && settings.databaseFile !== ":memory:") await mkdir(settings.dataFolder, {
		recursive: true,
		mode: 448
	});
	const { databaseUrl: url, databaseFile: file, migrate } = settings;
	return openStorage({
		url,
		file,
		migrate,
		clock,
		logger
	});
}
/** Last begun, first ended; the first failure is told once all had their turn. */
async function endAll(parts) {
	const failures = [];
	for (const part of [...parts].reverse()) try {
		await part.close();
	} catch (error) {
		failures.push(error);
	}
	if (failures.length > 0) throw failures[0];
}

export { StorageError as _, migrate as a, programSchema as c, createSettings as d, readSettings as f, newId as g, APP_NAME as h, startServer as i, standardParts as l, createToken as m, createLogger as n, openStorage as o, SCOPES as p, openDatabase as r, schemaVersion as s, baseServices as t, SettingsError as u };