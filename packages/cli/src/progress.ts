import type { Terminal } from "./terminal.js";

/** Milliseconds before the first sign of progress, and between two. */
const FIRST = 1000;
const NEXT = 200;

/** One line on standard error that says how far a long command is; only where somebody watches, and after a second. */
export class Progress {
  readonly #terminal: Terminal;
  #next: number;
  #width = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#next = terminal.now() + FIRST;
  }

  show(words: string): void {
    const now = this.#terminal.now();
    if (!this.#terminal.watched || now < this.#next) return;
    this.#next = now + NEXT;
    this.#terminal.printError(`\r${words.padEnd(this.#width)}`);
    this.#width = words.length;
  }

  /** Takes the line away. */
  done(): void {
    if (this.#width > 0) this.#terminal.printError(`\r${" ".repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
