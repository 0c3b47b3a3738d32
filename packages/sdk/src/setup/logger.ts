/** Where the library writes. Every method takes one plain text, which may have several lines. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Warnings and errors on the console, which writes them to standard error. */
export const consoleLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => console.warn(`d2: ${message}`),
  error: (message) => console.error(`d2: ${message}`),
};

/** Whether a value can serve as a logger. */
export function isLogger(value: unknown): value is Logger {
  if (typeof value !== "object" || value === null) return false;
  const methods: Partial<Record<keyof Logger, unknown>> = value;
  return (["debug", "info", "warn", "error"] as const).every((name) => typeof methods[name] === "function");
}

/**
 * The same logger, whose failures stay inside: a log line must not break a call, nor a timer, where an exception would
 * end the process.
 */
export function harmless(logger: Logger): Logger {
  const write = (level: keyof Logger) => (message: string) => {
    try {
      const answer: unknown = logger[level](message);
      // A method may be async in spite of its type, and its rejection would end the process too.
      if (answer instanceof Promise) answer.catch(() => undefined);
    } catch {
      // There is nowhere left to say so.
    }
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** Writes a notice that is meant to be seen to standard error, in spite of being no warning. */
export function consoleNotice(message: string): void {
  console.error(`d2: ${message}`);
}
