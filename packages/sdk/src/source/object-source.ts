import { ConfigurationError } from "d2-core/call";
import { nodeCrypto } from "../setup/node-crypto.js";
import type { PolicySource, PolicyText } from "./policy-source.js";

/** A policy that the program itself has: an object, or text. An object is read anew at every load. */
export class ObjectSource implements PolicySource {
  readonly name = "the `policy` option";
  readonly #content: string | object;

  /** @throws ConfigurationError when the content cannot be a policy */
  constructor(content: unknown) {
    if (typeof content === "string") {
      if (/^[^\n:]+\.(ya?ml|json)$/i.test(content.trim())) {
        throw new ConfigurationError("`policy` is the path of a file: give a path as `policyFile`");
      }
    } else if (typeof content !== "object" || content === null || Array.isArray(content)) {
      throw new ConfigurationError("`policy` must be an object, or the text of a policy in YAML or JSON");
    }
    this.#content = content;
  }

  async load(): Promise<PolicyText> {
    return this.loadSync();
  }

  loadSync(): PolicyText {
    const content = this.#content;
    // Whether an object has changed cannot be seen without reading all of it, so it always counts as changed.
    const revision =
      typeof content === "string"
        ? nodeCrypto().createHash("sha256").update(content).digest("hex")
        : nodeCrypto().randomUUID();
    return { content, format: undefined, file: undefined, revision };
  }

  subscribe(): () => void {
    return () => undefined;
  }

  async close(): Promise<void> {
    return;
  }
}
