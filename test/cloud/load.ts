import { type Answer, ask, contentDigest, Publisher } from "./publisher.js";
import type { Bootstrapped } from "./server-process.js";

/** Events of a batch. */
export const BATCH = 20;

const APP = "shop";

/** Versions as `GET /v1/policy/versions` lists them. */
export interface ListedVersion {
  readonly version: number;
  readonly content_sha256: string;
}

/** What was acknowledged of a publication. */
export interface Acknowledged {
  readonly version: number;
  readonly digest: string;
}

/**
 * Clients that publish and send events to a server that comes and goes. What is not answered is sent again, as it was, as
 * soon as the server is back: so nobody needs to know whether it had arrived.
 */
export class Load {
  readonly #tokens: Bootstrapped;
  /** Where the server is; a promise while it is gone. */
  #url: Promise<string>;
  #ending = false;
  #waiting: (() => void) | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** Ids of batches that were acknowledged. */
  readonly batches: string[] = [];
  readonly versions: Acknowledged[] = [];
  /** Texts that were sent, by digest. */
  readonly digests = new Set<string>();
  /** Requests that had to be sent again. */
  resent = 0;
  /** Of these, batches that the server had already when they came again. */
  duplicates = 0;
  /** Publications that were stored, though their publisher did not hear of it. */
  unheard = 0;
  /** Answers that nobody expects. */
  readonly odd: string[] = [];

  constructor(tokens: Bootstrapped, url: string) {
    this.#tokens = tokens;
    this.#url = Promise.resolve(url);
  }

  /** The server is gone; it will be at the promised place. */
  follow(url: Promise<string>): void {
    this.#url = url;
  }

  start(): void {
    const loops = [
      this.#sendEvents(0),
      this.#sendEvents(1),
      this.#sendEvents(2),
      this.#publish(0),
      this.#publish(1),
    ];
    this.#running = Promise.all(loops);
  }

  /** Settles at the next acknowledgement. @throws (as a rejection) when a client has failed */
  async acknowledgement(): Promise<void> {
    const next = new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
    await Promise.race([next, this.#running]);
  }

  /** Lets every client finish what it is at. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#running;
  }

  /** The newest versions, newest first. */
  async live(limit = 100): Promise<readonly ListedVersion[]> {
    const path = `/v1/policy/versions?app_name=${APP}&limit=${limit}`;
    const { body } = await this.#answer((url) => ask(url, path, { token: this.#tokens.developer }));
    // Holds: it is what the route's schema says.
    return body["versions"] as readonly ListedVersion[];
  }

  sendBatch(id: string): Promise<Answer> {
    const events = Array.from({ length: BATCH }, (_, index) => ({
      event_type: "authz_decision",
      occurred_at: new Date().toISOString(),
      payload: { tool_id: "orders.read", user_id: `${id}/${index}`, result: "denied", reason: "rbac_denied" },
    }));
    const body = JSON.stringify({ batch_id: id, events });
    return this.#answer((url) =>
      ask(url, "/v1/events/ingest", { method: "POST", token: this.#tokens.runtime, body }),
    );
  }

  /** What the server that was just started has of what was acknowledged last before it. */
  async checkLatest(): Promise<void> {
    const batch = this.batches.at(-1);
    const version = Math.max(0, ...this.versions.map((published) => published.version));
    if (batch !== undefined) {
      const { status, body } = await this.sendBatch(batch);
      if (status !== 202 || body["accepted"] !== BATCH || body["duplicate"] !== true) {
        this.odd.push(`${batch} came again: ${status} ${JSON.stringify(body)}`);
      }
    }
    const [newest] = await this.live(1);
    if ((newest?.version ?? 0) < version) this.odd.push(`version ${version} is lost`);
  }

  async #sendEvents(client: number): Promise<void> {
    for (let count = 0; !this.#ending; count++) {
      const id = `batch-${client}-${count}`;
      const { status, body } = await this.sendBatch(id);
      if (status !== 202 || body["accepted"] !== BATCH) this.odd.push(`ingest ${status}`);
      if (body["duplicate"] === true) this.duplicates++;
      this.batches.push(id);
      this.#acknowledge();
    }
  }

  async #publish(client: number): Promise<void> {
    const publisher = new Publisher(APP, this.#tokens.developer);
    await this.#answer((url) => publisher.register(url));
    for (let count = 0; !this.#ending; count++) {
      const text = policyText(`publisher ${client}, ${count}`);
      const digest = contentDigest(text);
      this.digests.add(digest);
      await this.#untilPublished(publisher, text, digest);
    }
  }

  /** Publishes once, whatever happens: a version that was stored unheard of is found by its content. */
  async #untilPublished(publisher: Publisher, text: string, digest: string): Promise<void> {
    for (;;) {
      const versions = await this.live();
      if (versions.some((version) => version.content_sha256 === digest)) {
        this.unheard++;
        return;
      }
      const publication = publisher.sign(text, versions[0]?.version ?? 0);
      const { status, body } = await this.#answer((url) => publisher.publish(url, publication));
      const { version } = body;
      if (status === 201 && typeof version === "number") {
        this.versions.push({ version, digest });
        this.#acknowledge();
        return;
      }
      if (status !== 412 && status !== 409) this.odd.push(`publish ${status} ${body["code"]}`);
    }
  }

  async #answer(question: (url: string) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const url = await this.#url;
      try {
        return await question(url);
      } catch {
        // Killed in the middle: where it is next is known as soon as it is gone.
        this.resent++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #acknowledge(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

const policyText = (remark: string) => `# ${remark}
version: 1
metadata:
  name: ${APP}
policies:
  - role: support
    permissions: [orders.read]
`;
