import type { BigIntStats } from "node:fs";
import { ConfigurationError, PolicyTooLargeError } from "d2-core/call";
import { nodeFiles } from "../setup/node-files.js";
import { fileFault } from "./file-fault.js";

/** Reads tried before a file that changes all the time is given up. */
const MAX_READS = 5;

/** The bytes of a policy file, and the state of the file that they were read from. */
export interface PolicyBytes {
  readonly bytes: Uint8Array;
  readonly state: string;
}

/** Text that is different whenever a file was written, replaced, or reached by another link. */
export function fileState({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}

/**
 * Reads a file whole, and as it was at one moment.
 *
 * @param shown the path as errors name it
 * @param maxBytes the largest file that is read
 * @throws ConfigurationError when it is not a regular file, cannot be read, or does not stop changing
 * @throws PolicyTooLargeError when it is larger
 */
export function readPolicyFile(path: string, shown: string, maxBytes: number): PolicyBytes {
  for (let reads = 0; reads < MAX_READS; reads += 1) {
    const read = readOnce(path, shown, maxBytes);
    if (read !== undefined) return read;
  }
  throw new ConfigurationError(
    `the policy file \`${shown}\` changes while it is being read: replace it in one step, by renaming`,
  );
}

/** Undefined when the file was written meanwhile. */
function readOnce(path: string, shown: string, maxBytes: number): PolicyBytes | undefined {
  const { closeSync, fstatSync, readSync } = nodeFiles();
  const descriptor = open(path, shown);
  try {
    const before = fstatSync(descriptor, { bigint: true });
    if (!before.isFile()) {
      const kind = before.isDirectory() ? "a folder" : "not a regular file";
      throw new ConfigurationError(`the policy file \`${shown}\` is ${kind}: name a file of YAML or JSON`);
    }
    if (before.size > BigInt(maxBytes)) throw new PolicyTooLargeError(Number(before.size), maxBytes);
    const bytes = new Uint8Array(Number(before.size) + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(descriptor, bytes, length, bytes.length - length, length);
    }
    const state = fileState(before);
    const unchanged = state === fileState(fstatSync(descriptor, { bigint: true }));
    return unchanged && length === Number(before.size)
      ? { bytes: bytes.subarray(0, length), state }
      : undefined;
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof PolicyTooLargeError) throw error;
    throw fileFault(shown, error);
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string, shown: string): number {
  const { constants, openSync } = nodeFiles();
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileFault(shown, error);
  }
}
