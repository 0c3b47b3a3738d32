import { basename, dirname, join } from "node:path";
import { ConfigurationError } from "d2-core/call";
import { ENDING, segmentNames } from "../log/stream-files.js";
import { nodeFiles } from "../setup/node-files.js";

/** The files of a decision log, as the log's writer lays them down beside each other. */
export interface LogFiles {
  /** The log's name, which its events repeat. */
  readonly stream: string;
  /** Absolute paths, the oldest first: one after the other they are the log. */
  readonly segments: readonly string[];
  /** Where the signed heads are; absent when there are none. */
  readonly heads: string | undefined;
  /** The folder in which the policies that the log names are kept, by digest. */
  readonly policies: string;
}

/**
 * The files that belong to a log.
 *
 * @param path absolute, of the log's current file (`<name>.jsonl`)
 * @throws ConfigurationError when there is no such file
 */
export function logFilesOf(path: string, shown: string = path): LogFiles {
  const fs = nodeFiles();
  if (!fs.existsSync(path)) {
    throw new ConfigurationError(
      `there is no decision log \`${shown}\`: give the \`.jsonl\` file that \`decisionLog\` or \`D2_DECISION_LOG\` names`,
    );
  }
  const folder = dirname(path);
  const name = basename(path);
  const stream = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name;
  const earlier = segmentNames(folder, stream).reverse();
  const heads = join(folder, `${stream}.heads${ENDING}`);
  return {
    stream,
    segments: [...earlier.map((segment) => join(folder, segment)), path],
    heads: fs.existsSync(heads) ? heads : undefined,
    policies: join(folder, "policies"),
  };
}
