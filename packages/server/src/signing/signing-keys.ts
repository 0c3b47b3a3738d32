import type { KeyObject } from "node:crypto";
import { CompactSign } from "jose";
import type { RotationRequest, Signer, Signing } from "../http/services.js";
import { loggedError } from "../observe/logged-error.js";
import type { BaseServices, Closable } from "../server-parts.js";
import { SettingsError } from "../settings.js";
import type { SigningKey } from "../storage/storage.js";
import { newSealedKey, openKey } from "./sealed-key.js";
import { readServerKey } from "./server-key.js";
import { announcement, isListed, signerChange, signerOf } from "./signer-of.js";

/** How much longer a key is listed than its last bundle is valid: other servers hear of a rotation a little later. */
const MARGIN = 60_000;
const RETRY = 1_000;

interface OpenKey {
  readonly key: SigningKey;
  readonly privateKey: KeyObject;
}

interface CurrentSigner extends Signer {
  readonly from: number;
  /** Its JWS header as a text. */
  readonly same: string;
}

/**
 * The keys that sign bundles, in memory. INVARIANT: only keys whose seal this server's key opens are here, so that whoever
 * can merely write to the database can neither have a key listed nor have one used.
 */
export class SigningKeys implements Signing, Closable {
  readonly #services: BaseServices;
  readonly #serverKey: Uint8Array;
  readonly #stopWatching: () => void;
  #keys: readonly OpenKey[] = [];
  #strangers = 0;
  #current: CurrentSigner | undefined;
  #loading: Promise<void> | undefined;
  #stale = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(services: BaseServices, serverKey: Uint8Array) {
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
  static async open(services: BaseServices): Promise<SigningKeys> {
    const { storage, settings, randomBytes } = services;
    const mayMake = (await storage.signingKeys()).length === 0;
    const serverKey = await readServerKey({ settings, randomBytes, mayMake });
    const keys = new SigningKeys(services, serverKey);
    try {
      if (mayMake) await keys.#makeFirst();
      await keys.#reload();
      if (keys.signer(services.clock()) === undefined || keys.#strangers > 0) {
        throw new SettingsError(
          "the signing keys in the database were sealed with another server key: give that one, as `D2_SERVER_KEY` or as the file `server.key`",
        );
      }
    } catch (error) {
      await keys.close();
      throw error;
    }
    return keys;
  }

  ready(): boolean {
    return this.#strangers === 0 && this.signer(this.#services.clock()) !== undefined;
  }

  keys(): readonly SigningKey[] {
    const now = this.#services.clock();
    return this.#keys.map(({ key }) => key).filter((key) => isListed(key, now));
  }

  signer(at: number): Signer | undefined {
    const current = this.#current;
    if (current !== undefined && at >= current.from && at < current.until) return current;
    this.#current = this.#signerAt(at, current);
    return this.#current;
  }

  async rotate({ immediate, alg, reason }: RotationRequest): Promise<SigningKey> {
    const { storage, settings, clock, randomBytes, logger } = this.#services;
    const made = await newSealedKey(alg ?? settings.signingAlgorithm, this.#serverKey, randomBytes);
    const latest = (await storage.signingKeys()).at(-1)?.createdAt ?? 0;
    const now = clock();
    const signsFrom = immediate ? now : now + settings.rotationLeadSeconds * 1000;
    const key: SigningKey = {
      ...made,
      // Keys stand in the order in which they were made, also where two are made within a millisecond.
      createdAt: Math.max(now, latest + 1),
      signsFrom,
      listedUntil: null,
      rotation: {
        id: `rot_${Buffer.from(randomBytes(10)).toString("hex")}`,
        reason: reason ?? (immediate ? "immediate" : "scheduled"),
      },
    };
    const lifetime = settings.bundleLifetimeSeconds * 1000;
    await storage.addSigningKey(key, lifetime === 0 ? null : signsFrom + lifetime + MARGIN);
    logger.info(
      { kid: key.kid, alg: key.alg, signsFrom, rotation: key.rotation?.id },
      "a signing key was made",
    );
    await this.#reload();
    return key;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stopWatching();
    await this.#loading?.catch(() => undefined);
  }

  async #makeFirst(): Promise<void> {
    const { storage, settings, clock, randomBytes, logger } = this.#services;
    const made = await newSealedKey(settings.signingAlgorithm, this.#serverKey, randomBytes);
    const now = clock();
    const key: SigningKey = { ...made, createdAt: now, signsFrom: now, listedUntil: null, rotation: null };
    const won = await storage.addFirstSigningKey(key);
    if (won) logger.info({ kid: key.kid, alg: key.alg }, "the first signing key was made");
  }

  /** Reads the keys anew. Settles when what was stored before the call is in memory. */
  #reload(): Promise<void> {
    this.#stale = true;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    while (this.#stale && !this.#closed) {
      this.#stale = false;
      const now = this.#services.clock();
      const listed = (await this.#services.storage.signingKeys()).filter((key) => isListed(key, now));
      const keys: OpenKey[] = [];
      for (const key of listed) {
        const known = this.#keys.find((it) => sameSeal(it.key, key));
        const privateKey = known?.privateKey ?? openKey(key, this.#serverKey);
        if (privateKey !== undefined) keys.push({ key, privateKey });
      }
      this.#strangers = listed.length - keys.length;
      if (this.#strangers > 0) {
        this.#services.logger.error(
          { keys: this.#strangers },
          "signing keys cannot be opened with this server's key and are left out: give all servers the same `D2_SERVER_KEY`",
        );
      }
      this.#keys = keys;
      this.#current = this.#signerAt(now, this.#current);
    }
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    this.#services.logger.warn(
      { error: loggedError(error) },
      "cannot read the signing keys; will go on trying",
    );
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#reload().catch((again) => this.#failed(again)), RETRY).unref();
  }

  /** The same object for as long as bundles come out the same, for by it caches know that they do. */
  #signerAt(at: number, current: CurrentSigner | undefined): CurrentSigner | undefined {
    const keys = this.#keys.map(({ key }) => key);
    const key = signerOf(keys, at);
    const open = this.#keys.find((it) => it.key === key);
    if (key === undefined || open === undefined) return undefined;
    const until = signerChange(keys, key, at);
    const header = { alg: key.alg, kid: key.kid, ...announcement(key, at) };
    const same = JSON.stringify(header);
    if (current?.same === same && current.until === until && at >= current.from) return current;
    return {
      kid: key.kid,
      from: key.signsFrom,
      until,
      same,
      sign: (payload) =>
        new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header).sign(open.privateKey),
    };
  }
}

function sameSeal(one: SigningKey, other: SigningKey): boolean {
  return (
    one.kid === other.kid &&
    one.alg === other.alg &&
    one.publicJwk === other.publicJwk &&
    one.sealed === other.sealed
  );
}
