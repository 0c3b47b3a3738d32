import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export interface LspDiagnostic {
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The real `yaml-language-server`, spoken to over its standard input and output as an editor does. */
export class YamlLanguageServer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #settings: unknown;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #published = new Map<string, LspDiagnostic[]>();
  readonly #waiting = new Map<string, (diagnostics: LspDiagnostic[]) => void>();
  #buffer = Buffer.alloc(0);
  #id = 0;

  private constructor(settings: unknown) {
    const root = dirname(createRequire(import.meta.url).resolve("yaml-language-server/package.json"));
    this.#process = spawn(process.execPath, [join(root, "bin", "yaml-language-server"), "--stdio"]);
    this.#settings = settings;
    this.#process.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#process.on("exit", (code) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`the server ended with ${code}`));
    });
  }

  /** Starts a server that checks every `.yaml` file against one schema file. */
  static async start(schemaFile: string): Promise<YamlLanguageServer> {
    const schemas = { [pathToFileURL(schemaFile).href]: "*.yaml" };
    const server = new YamlLanguageServer({
      yaml: { schemas, validate: true, hover: true, completion: true, schemaStore: { enable: false } },
    });
    await server.#request("initialize", {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
        textDocument: {
          hover: { contentFormat: ["plaintext"] },
          completion: { completionItem: { snippetSupport: false } },
        },
      },
    });
    server.#notify("initialized", {});
    server.#notify("workspace/didChangeConfiguration", { settings: server.#settings });
    return server;
  }

  /** Opens a document and waits for what the server says of it. */
  open(uri: string, text: string): Promise<readonly LspDiagnostic[]> {
    const answer = new Promise<LspDiagnostic[]>((resolve) => this.#waiting.set(uri, resolve));
    this.#notify("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
    return answer;
  }

  async hover(uri: string, line: number, character: number): Promise<string> {
    const result = await this.#request("textDocument/hover", {
      textDocument: { uri },
      position: { line, character },
    });
    return JSON.stringify(result);
  }

  async complete(uri: string, line: number, character: number): Promise<readonly string[]> {
    const result = await this.#request("textDocument/completion", {
      textDocument: { uri },
      position: { line, character },
    });
    const items = Array.isArray(result) ? result : (result as { items: unknown[] }).items;
    return items.map((item) => (item as { label: string }).label);
  }

  async stop(): Promise<void> {
    await this.#request("shutdown", null);
    const ended = new Promise((resolve) => this.#process.on("exit", resolve));
    this.#notify("exit", null);
    await ended;
  }

  #request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#id;
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#send({ jsonrpc: "2.0", id, method, params });
    return answer;
  }

  #notify(method: string, params: unknown): void {
    this.#send({ jsonrpc: "2.0", method, params });
  }

  #send(message: object): void {
    const body = Buffer.from(JSON.stringify(message));
    this.#process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#process.stdin.write(body);
  }

  #receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const head = this.#buffer.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#buffer.toString("ascii", 0, head))?.[1]);
      const end = head + 4 + length;
      if (this.#buffer.length < end) return;
      const message = JSON.parse(this.#buffer.toString("utf8", head + 4, end)) as Message;
      this.#buffer = this.#buffer.subarray(end);
      this.#handle(message);
    }
  }

  #handle(message: Message): void {
    if (message.method === undefined) {
      const pending = this.#pending.get(message.id ?? 0);
      this.#pending.delete(message.id ?? 0);
      if (message.error === undefined) pending?.resolve(message.result);
      else pending?.reject(new Error(message.error.message));
      return;
    }
    if (message.method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = message.params as { uri: string; diagnostics: LspDiagnostic[] };
      this.#published.set(uri, diagnostics);
      this.#waiting.get(uri)?.(diagnostics);
      return;
    }
    if (message.id === undefined) return;
    this.#send({ jsonrpc: "2.0", id: message.id, result: this.#answer(message) });
  }

  #answer(message: Message): unknown {
    if (message.method !== "workspace/configuration") return null;
    const { items } = message.params as { items: { section?: string }[] };
    const settings = this.#settings as Record<string, unknown>;
    return items.map(({ section }) => settings[section ?? ""] ?? null);
  }
}
