import { randomBytes } from "node:crypto";
import { compactVerify, createLocalJWKSet } from "jose";
import { headerFaults, problemFaults } from "./faults.mjs";
import { isRecord, mismatches } from "./match.mjs";
import { Publisher } from "./publisher.mjs";
import { MissingVariable, Variables } from "./variables.mjs";

/**
 * @typedef {import("./cases.mjs").Case} Case
 * @typedef {import("./cases.mjs").Step} Step
 * @typedef {import("./cases.mjs").Request} Request
 * @typedef {import("./cases.mjs").Expectation} Expectation
 * @typedef {import("./cases.mjs").TokenKind} TokenKind
 *
 * @typedef {object} Target
 * @property {string} url Base URL.
 * @property {Partial<Record<TokenKind, string>>} tokens
 *
 * @typedef {object} Outcome
 * @property {string} id
 * @property {string} name
 * @property {"passed" | "failed" | "skipped"} outcome
 * @property {string[]} reasons
 *
 * @typedef {object} Reply
 * @property {number} status
 * @property {Headers} headers
 * @property {string} text
 * @property {unknown} json undefined: it is none
 */

/** What a request may change is an app that the run has made, and nothing else. */
const PREFIX = "conformance-";

const PATIENCE = 15_000;

const KINDS = ["runtime", "developer", "admin"];

/** Runs cases against one server, one after the other. */
export class WireRun {
  #target;
  #variables = new Variables();
  #publishers = { run: new Publisher(), stranger: new Publisher() };

  /** @param {Target} target */
  constructor(target) {
    this.#target = { ...target, url: target.url.replace(/\/+$/, "") };
    const run = randomBytes(6).toString("hex");
    const { run: own, stranger } = this.#publishers;
    const given = {
      run,
      app: `${PREFIX}${run}`,
      other_app: `${PREFIX}${run}-other`,
      live_version: 0,
      key_id: own.keyId,
      public_key: own.publicKey,
      stranger_key_id: stranger.keyId,
      stranger_public_key: stranger.publicKey,
      now: new Date().toISOString().replace("Z", "+00:00"),
      an_hour_ago: new Date(Date.now() - 3_600_000).toISOString(),
    };
    for (const [name, value] of Object.entries(given)) this.#variables.set(name, value);
  }

  /**
   * @param {Case} wanted
   * @returns {Promise<Outcome>}
   */
  async run({ id, name, needs = [], steps }) {
    const missing = needs.filter((kind) => this.#target.tokens[kind] === undefined);
    if (missing.length > 0) {
      return { id, name, outcome: "skipped", reasons: [`needs a token: ${missing.join(", ")}`] };
    }
    for (const [index, step] of steps.entries()) {
      const reasons = await this.#step(step);
      if (!(reasons instanceof MissingVariable) && reasons.length === 0) continue;
      this.#forget(steps.slice(index));
      if (reasons instanceof MissingVariable) {
        return { id, name, outcome: "skipped", reasons: [reasons.message] };
      }
      const { method, path } = step.request;
      const where = `step ${index + 1} (${method} ${path}): `;
      return { id, name, outcome: "failed", reasons: reasons.map((it) => this.#redacted(where + it)) };
    }
    return { id, name, outcome: "passed", reasons: [] };
  }

  /**
   * What the steps would have brought is not known any more: cases that need it are skipped, and do not fail in its wake.
   *
   * @param {Step[]} steps
   */
  #forget(steps) {
    for (const { save = {} } of steps) for (const name of Object.keys(save)) this.#variables.delete(name);
  }

  /**
   * @param {Step} step
   * @returns {Promise<string[] | MissingVariable>}
   */
  async #step({ request, expect, save = {} }) {
    try {
      const reply = await this.#send(this.#variables.fill(request));
      const { problem, headers = {}, ...rest } = expect;
      const wanted = {
        ...this.#variables.fill(rest),
        headers: this.#variables.fill(headers, { regular: true }),
        ...(problem === undefined ? {} : { problem }),
      };
      const { reasons, payload } = await this.#judge(reply, wanted);
      if (reasons.length > 0) return reasons;
      return Object.entries(save).flatMap(([name, source]) => {
        const value = savedValue(source, reply, payload);
        if (value === undefined) return [`there is no \`${source}\` to keep`];
        this.#variables.set(name, value);
        return [];
      });
    } catch (error) {
      if (error instanceof MissingVariable) return error;
      return [error instanceof Error ? messageOf(error) : String(error)];
    }
  }

  /**
   * @param {Request} request
   * @returns {Promise<Reply>}
   */
  async #send(request) {
    const { method, path, query = {}, token, json, sign } = request;
    this.#assertHarmless(request);
    const url = new URL(`${this.#target.url}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, String(value));
    const body = json === undefined ? request.text : JSON.stringify(json);
    const headers = {
      ...(token === undefined ? {} : { Authorization: `Bearer ${this.#tokenText(token)}` }),
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...(sign === undefined
        ? {}
        : this.#publishers[sign.key ?? "run"].headers(body ?? "", sign, {
            app: this.#variables.get("app"),
            version: this.#variables.get("live_version"),
          })),
      ...request.headers,
    };
    const response = await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isJson = /[/+]json\s*(;|$)/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  }

  /** @param {string} token */
  #tokenText(token) {
    return KINDS.includes(token) ? this.#target.tokens[/** @type {TokenKind} */ (token)] : token;
  }

  /**
   * Before anything is sent: the list must not be able to touch what was there before, whatever its cases say.
   *
   * @param {Request} request
   */
  #assertHarmless({ method, path, query = {}, json, token }) {
    if (method === "GET" || method === "HEAD" || method === "OPTIONS") return;
    const made = this.#variables.all().some((value) => path.endsWith(`/${value}`));
    if (method === "DELETE" && path.startsWith("/v1/") && !made) {
      throw new Error("the list may delete only what it has made");
    }
    if (path === "/v1/signing-keys/rotate" && token !== undefined) {
      throw new Error("the list may not rotate signing keys: every app of the server would notice");
    }
    const names = path.startsWith("/v1/policy/")
      ? [...new URL(path, "http://x").searchParams.getAll("app_name"), query["app_name"], draftName(json)]
      : path === "/v1/apps" && isRecord(json)
        ? [json["name"]]
        : [];
    const foreign = names.some((name) => typeof name === "string" && !name.startsWith(PREFIX));
    if (foreign) throw new Error(`the list may change only apps whose name begins with \`${PREFIX}\``);
  }

  /**
   * @param {Reply} reply
   * @param {Expectation} expect
   */
  async #judge(reply, expect) {
    const { status, headers, text, json } = reply;
    const reasons = [];
    if (![expect.status].flat().includes(status)) {
      const code = isRecord(json) && typeof json["code"] === "string" ? ` (${json["code"]})` : "";
      reasons.push(`the status must be ${[expect.status].flat().join(" or ")}, is ${status}${code}`);
    }
    for (const [name, pattern] of Object.entries(expect.headers ?? {})) {
      reasons.push(...headerFaults(name, pattern, headers.get(name)));
    }
    if (expect.problem !== undefined) reasons.push(...problemFaults(reply, [expect.problem].flat()));
    if (expect.body !== undefined) reasons.push(...mismatches(expect.body, json));
    if (
      expect.text !== undefined &&
      !(expect.text === "" ? text === "" : new RegExp(expect.text, "u").test(text))
    ) {
      reasons.push(expect.text === "" ? "there must be no body" : `the body must match ${expect.text}`);
    }
    // A bundle is looked at only where everything around it is right.
    if (expect.bundle === undefined || reasons.length > 0) return { reasons, payload: undefined };
    const { header, payload } = await this.#verified(json);
    reasons.push(...mismatches(expect.bundle.header ?? {}, header, "jws header"));
    reasons.push(...mismatches(expect.bundle.payload ?? {}, payload, "jws payload"));
    return { reasons, payload };
  }

  /**
   * The bundle of a body, once a key of the server has verified it.
   *
   * @param {unknown} body
   */
  async #verified(body) {
    const jws = isRecord(body) ? body["jws"] : undefined;
    if (typeof jws !== "string") throw new Error("the body must have the text `jws`");
    const response = await fetch(`${this.#target.url}/.well-known/jwks.json`, {
      signal: AbortSignal.timeout(PATIENCE),
    });
    // Holds or throws: the library looks at each key before it uses it.
    const keys = createLocalJWKSet(/** @type {import("jose").JSONWebKeySet} */ (await response.json()));
    const { payload, protectedHeader } = await compactVerify(jws, keys, { algorithms: ["RS256", "EdDSA"] });
    return { header: protectedHeader, payload: JSON.parse(new TextDecoder().decode(payload)) };
  }

  /** @param {string} text */
  #redacted(text) {
    const tokens = Object.values(this.#target.tokens).filter((token) => token !== undefined);
    return tokens
      .reduce((shorter, token) => shorter.replaceAll(token, "(token)"), text)
      .replaceAll(/d2[rda]_[\w-]{43}/g, "(token)");
  }
}

/**
 * The name in the policy of a draft.
 *
 * @param {unknown} json
 */
function draftName(json) {
  const bundle = isRecord(json) ? json["bundle"] : undefined;
  const metadata = isRecord(bundle) ? bundle["metadata"] : undefined;
  return isRecord(metadata) ? metadata["name"] : undefined;
}

/** @param {Error} error */
function messageOf({ message, cause }) {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/**
 * @param {string} source
 * @param {Reply} reply
 * @param {unknown} payload
 */
function savedValue(source, reply, payload) {
  const [place = "", path = ""] = source.split(/:(.*)/);
  if (place === "header") return reply.headers.get(path) ?? undefined;
  /** @type {unknown} */
  let value = place === "bundle" ? payload : reply.json;
  for (const name of path.split(".")) {
    if (Array.isArray(value)) value = value[Number(name)];
    else value = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}
