import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Logger } from "../src/setup/logger.js";
import type { PolicyEvent, PolicyManager } from "../src/setup/policy-instance.js";

/** A policy in which the role `reader` may call one tool. */
export const policyText = (name: string, tool = "read") =>
  `metadata: { name: ${name} }\npolicies:\n  - role: reader\n    permissions: [${tool}]\n`;

/** A folder of its own that is deleted after the test. */
export class PolicyFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "d2-")));

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }));
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes in place, and answers with the path. */
  write(name: string, text: string | Uint8Array): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Writes another file and renames it over the old one, as careful editors do. */
  replace(name: string, text: string): string {
    renameSync(this.write(`${name}.new`, text), this.at(name));
    return this.at(name);
  }
}

/** A logger that keeps what it is told. */
export class LogBook implements Logger {
  readonly lines: { readonly level: keyof Logger; readonly message: string }[] = [];

  debug(message: string): void {
    this.lines.push({ level: "debug", message });
  }
  info(message: string): void {
    this.lines.push({ level: "info", message });
  }
  warn(message: string): void {
    this.lines.push({ level: "warn", message });
  }
  error(message: string): void {
    this.lines.push({ level: "error", message });
  }

  of(level: keyof Logger): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

/** The next event of a kind; ask before doing what brings it. */
export function nextEvent(manager: PolicyManager, kind: PolicyEvent["kind"]): Promise<PolicyEvent> {
  return new Promise((resolve) => {
    const stop = manager.onChange((event) => {
      if (event.kind !== kind) return;
      stop();
      resolve(event);
    });
  });
}
