import { randomUUID } from "node:crypto";
import { mkdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../usage-error.js";

/** What became of a policy that was to be written. */
export interface WrittenStarter {
  /** Where it lies now. */
  readonly path: string;
  /** Whether something was there before. */
  readonly overwritten: boolean;
}

/**
 * Writes a policy, and makes the folders that it lies in. Without `force` a file that is there already stays as it is;
 * with it, it is replaced in one step, so that a program that watches it never reads half of it.
 *
 * @throws {UsageError} The file is there already, or the place is a folder.
 * @throws {Error} The system's own, when it cannot be written.
 */
export async function writeStarter(
  path: string,
  text: string,
  options: { readonly force: boolean },
): Promise<WrittenStarter> {
  await mkdir(dirname(path), { recursive: true });
  if (!options.force) {
    try {
      // `wx` leaves no moment between looking and writing.
      await writeFile(path, text, { flag: "wx" });
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw new UsageError(occupied(path));
      throw error;
    }
    return { path, overwritten: false };
  }
  // Where the path is a link, what it leads to is replaced, and the link stays.
  const target = await realpath(path).catch(() => path);
  const before = await stat(target).catch(() => undefined);
  if (before?.isDirectory()) {
    throw new UsageError(
      `\`${path}\` is a folder: name a file in it, such as \`${join(path, "policy.yaml")}\``,
    );
  }
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    await writeFile(draft, text, {
      flag: "wx",
      ...(before === undefined ? {} : { mode: before.mode & 0o777 }),
    });
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return { path, overwritten: before !== undefined };
}

function occupied(path: string): string {
  return `\`${path}\` is there already and was left as it is: choose another place with \`--output\`, or overwrite it with \`--force\``;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
