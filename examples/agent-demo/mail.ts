import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly body: string;
}

/** Delivers mail: to colleagues as files in a folder, to all others by handing it to the world outside. */
export class MailRelay {
  readonly #folder: string;
  readonly #outsideUrl: string;

  private constructor(folder: string, outsideUrl: string) {
    this.#folder = folder;
    this.#outsideUrl = outsideUrl;
  }

  static async open(outsideUrl: string): Promise<MailRelay> {
    return new MailRelay(await mkdtemp(join(tmpdir(), "d2-outbox-")), outsideUrl);
  }

  async send({ to, subject, body }: Mail): Promise<void> {
    const message = `To: ${to}\nSubject: ${subject}\n\n${body}`;
    if (to.endsWith("@shop.example")) {
      const count = (await readdir(this.#folder)).length;
      await writeFile(join(this.#folder, `${count + 1}.eml`), message);
    } else {
      await fetch(`${this.#outsideUrl}/mail`, { method: "POST", body: message });
    }
  }

  /** The mails that colleagues got. */
  async delivered(): Promise<string[]> {
    const files = (await readdir(this.#folder)).sort();
    return Promise.all(files.map((file) => readFile(join(this.#folder, file), "utf8")));
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
