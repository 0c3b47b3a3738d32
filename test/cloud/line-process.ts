import { type ChildProcess, spawn } from "node:child_process";

/** A Node program that runs as a process of its own, seen through the lines that it prints. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();
  #unfinished = "";
  #errors = "";
  #over = false;
  /** Settles when it has ended, with its exit code; null: it was killed. */
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv, cwd?: string) {
    this.#name = args.join(" ");
    const child = spawn(process.execPath, args, { env: environment, cwd });
    this.#child = child;
    child.stdin.on("error", () => undefined); // it may be gone by the time that it is told something
    child.stdout.setEncoding("utf8").on("data", (part: string) => this.#take(part));
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      this.#errors += part;
    });
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        this.#over = true;
        this.#tell();
        resolve(code);
      });
    });
  }

  /** How many lines it has printed. */
  get printed(): number {
    return this.#lines.length;
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** The lines from that one on. */
  linesFrom(from: number): readonly string[] {
    return this.#lines.slice(from);
  }

  /**
   * What `read` makes of the first line from `from` on of which it makes anything; waits for it.
   *
   * @throws (as a rejection) when the process ends without such a line
   */
  first<T>(read: (line: string) => T | undefined, from = 0): Promise<T> {
    return new Promise((resolve, reject) => {
      let next = from;
      const look = (): void => {
        while (next < this.#lines.length) {
          const found = read(this.#lines[next] ?? "");
          next++;
          if (found === undefined) continue;
          this.#watchers.delete(look);
          resolve(found);
          return;
        }
        if (!this.#over) return;
        this.#watchers.delete(look);
        const said = [...this.#lines.slice(-5), this.#errors].join("\n");
        reject(new Error(`\`${this.#name}\` ended before it said what was waited for: ${said}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#child.kill(signal);
    await this.ended;
  }

  #take(part: string): void {
    const lines = (this.#unfinished + part).split("\n");
    this.#unfinished = lines.pop() ?? "";
    this.#lines.push(...lines);
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/** The environment of this process without what it says to our programs. */
export function plainEnvironment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const ours = /^(D2_|OTEL_|DATABASE_URL$|FORCE_COLOR$|NO_COLOR$|XDG_CONFIG_HOME$|NODE_OPTIONS$)/;
  const plain = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(plain), ...more };
}
