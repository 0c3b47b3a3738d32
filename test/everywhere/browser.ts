import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** The few parts of the driver that are used here. */
interface Page {
  setContent(html: string): Promise<void>;
  addScriptTag(script: { readonly type: string; readonly content: string }): Promise<unknown>;
  evaluate<A, T>(code: (given: A) => T | Promise<T>, given: A): Promise<T>;
}
export interface Browser {
  newPage(): Promise<Page>;
  version(): string;
  close(): Promise<void>;
}
interface Driver {
  readonly chromium: {
    launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser>;
  };
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const driver = join(root, "tools/browser/node_modules/playwright-core");
const program = process.env["D2_CHROMIUM"] ?? "/usr/bin/chromium";

/** Why there is no browser to test with; undefined: there is one. */
export const noBrowser: string | undefined = !existsSync(program)
  ? `there is no browser at ${program}`
  : existsSync(driver)
    ? undefined
    : "tools/browser is not installed: `npm run browser` does that";

/** Starts a headless browser. */
export async function startBrowser(): Promise<Browser> {
  const { chromium }: Driver = createRequire(import.meta.url)(driver);
  return chromium.launch({
    executablePath: program,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
    ],
  });
}

/** A module and all that it imports, as a browser gets it, set as `globalThis.tested`. */
export async function bundleForBrowser(module: string): Promise<string> {
  const entry = "virtual:entry";
  const bundle = await rolldown({
    input: entry,
    platform: "browser",
    resolve: { conditionNames: ["browser", "import", "default"] },
    plugins: [
      {
        name: "entry",
        resolveId: (id: string) => (id === entry ? id : null),
        load: (id: string) =>
          id === entry
            ? `import * as tested from ${JSON.stringify(module)};\nglobalThis.tested = tested;`
            : null,
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const [chunk] = output;
  if (output.length !== 1 || chunk.type !== "chunk") throw new Error("the bundle is not one file");
  return chunk.code;
}
