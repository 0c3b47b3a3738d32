import { checkEntries } from "./check-entries.js";
import { checkReach } from "./check-reach.js";
import type { BlockRule, DocumentPath, LabelRule, PolicyDocument } from "./document.js";
import type { Fault } from "./fault.js";
import { FaultList } from "./fault-list.js";
import { freezeDeep } from "./freeze-deep.js";
import { snapshotPolicy } from "./policy-snapshot.js";
import { type PolicyTree, type PolicyTreeMap, toPolicyValue, UNREADABLE } from "./policy-tree.js";
import { ToolNames } from "./tool-names.js";
import { checkName } from "./tool-reference.js";
import { TreeReading } from "./tree-reading.js";

/** Bytes of compact JSON beyond which an object is not read as a policy when no other limit is given: 8 MiB. */
export const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/** What checking a policy came to. */
export interface DocumentCheck {
  /** Deeply frozen; absent when there is an error among the faults. */
  readonly document: PolicyDocument | undefined;
  /** Every error and warning, in the order in which their places stand in the document. */
  readonly faults: readonly Fault[];
}

const ROOT_ALIASES: ReadonlyMap<string, string> = new Map([
  ["meta", "metadata"],
  ["roles", "policies"],
  ["rules", "policies"],
  ["apiversion", "version"],
]);
const METADATA_ALIASES: ReadonlyMap<string, string> = new Map([
  ["groups", "tool_groups"],
  ["expiry", "expires"],
  ["expiresat", "expires"],
  ["expiration", "expires"],
  ["title", "name"],
  ["dataflows", "data_flow"],
]);

/**
 * Checks a policy given as an object: what `JSON.parse` makes of a policy file. Never throws, whatever the value, and
 * runs none of its code; what is not plain data is a fault.
 *
 * @returns The document with its short forms expanded, and all faults together.
 */
export function checkDocument(value: unknown): DocumentCheck {
  const faults = new FaultList();
  const { tree, bytes } = snapshotPolicy(value, faults, DEFAULT_MAX_BYTES);
  if (bytes > DEFAULT_MAX_BYTES) {
    const tooLarge = new FaultList(); // what was copied is cut off, so nothing else can be said of it
    tooLarge.error("too_large", `the policy is larger than ${DEFAULT_MAX_BYTES} bytes: make it smaller`, []);
    return { document: undefined, faults: tooLarge.inDocumentOrder(tree) };
  }
  return checkTree(tree, faults);
}

/**
 * Checks a policy that was read already.
 *
 * @param faults What was found while reading; it is reported together with what is found here.
 */
export function checkTree(tree: PolicyTree, faults: FaultList = new FaultList()): DocumentCheck {
  const reading = new TreeReading(faults);
  const document = checkRoot(tree, reading);
  const sound = document !== undefined && !faults.hasErrors;
  if (sound) checkReach(document, faults);
  return { document: sound ? document : undefined, faults: faults.inDocumentOrder(tree) };
}

function checkRoot(tree: PolicyTree, reading: TreeReading): PolicyDocument | undefined {
  const map = reading.mapping(tree, [], "a policy");
  if (map === undefined) return undefined;
  const meant = reading.knownKeys(map, [], "a policy", ["version", "metadata", "policies"], ROOT_ALIASES);
  const version = map.get("version");
  if (version !== undefined && version !== 1 && version !== UNREADABLE) {
    reading.faults.error(
      "unknown_version",
      "the version is not known: write `1` or leave it out",
      ["version"],
      {
        suggestion: "1",
      },
    );
  }
  const metadata = map.get("metadata");
  const tools = new ToolNames(metadata, reading);
  const about = metadata === undefined ? NO_METADATA : checkMetadata(metadata, reading, tools);
  const policies = map.get("policies");
  if (policies === undefined && !meant.has("policies")) {
    const message = "a policy needs `policies`: a list of what each role may do, which may be empty";
    reading.faults.error("missing_key", message, []);
  }
  const entries = policies === undefined ? [] : checkEntries(policies, ["policies"], reading, tools);
  return Object.freeze({ version: 1, ...about, toolGroups: tools.groups, policies: entries });
}

type Metadata = Omit<PolicyDocument, "version" | "toolGroups" | "policies">;

const NO_METADATA: Metadata = Object.freeze({ labels: Object.freeze([]), blocks: Object.freeze([]) });

function checkMetadata(node: PolicyTree, reading: TreeReading, tools: ToolNames): Metadata {
  const path = ["metadata"];
  const map = reading.mapping(node, path, "`metadata`");
  if (map === undefined) return NO_METADATA;
  const known = ["name", "description", "expires", "tool_groups", "data_flow"];
  reading.knownKeys(map, path, "`metadata`", known, METADATA_ALIASES);
  const name = checkPolicyName(map, reading);
  const about = map.get("description");
  const description =
    about === undefined ? undefined : reading.text(about, [...path, "description"], "`description`");
  const expires = map.get("expires");
  const flow = map.get("data_flow");
  if (expires !== undefined) reading.wellFormed(expires, [...path, "expires"]);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(expires === undefined ? {} : { expires: freezeDeep(toPolicyValue(expires)) }),
    ...(flow === undefined ? NO_METADATA : checkDataFlow(flow, [...path, "data_flow"], reading, tools)),
  };
}

/** The name stands for the policy in records, so it keeps to what an id may be there: at most 256 characters. */
function checkPolicyName(metadata: PolicyTreeMap, reading: TreeReading): string | undefined {
  const path = ["metadata", "name"];
  const node = metadata.get("name");
  const name = node === undefined ? undefined : reading.text(node, path, "`name`");
  if (name === undefined) return undefined;
  const message =
    [...name].length > 256
      ? "the policy name is longer than 256 characters: shorten it"
      : checkName("the policy name", name);
  if (message !== undefined) reading.faults.error("bad_name", message, path);
  return name;
}

function checkDataFlow(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): Pick<PolicyDocument, "labels" | "blocks"> {
  const map = reading.mapping(node, path, "`data_flow`");
  if (map === undefined) return NO_METADATA;
  reading.knownKeys(map, path, "`data_flow`", ["labels", "blocks"]);
  const labels = map.get("labels");
  const blocks = map.get("blocks");
  return {
    labels:
      labels === undefined ? NO_METADATA.labels : checkLabels(labels, [...path, "labels"], reading, tools),
    blocks:
      blocks === undefined ? NO_METADATA.blocks : checkBlocks(blocks, [...path, "blocks"], reading, tools),
  };
}

function checkLabels(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): readonly LabelRule[] {
  const rules: LabelRule[] = [];
  for (const [tool, value] of reading.mapping(node, path, "`labels`") ?? []) {
    const at = Object.freeze([...path, tool]);
    tools.referenceText(tool, at, "key");
    const labels: string[] = [];
    for (const item of reading.texts(value, at, "the labels of a tool") ?? []) {
      if (checkLabel(item.text, item.path, "value", reading)) labels.push(item.text);
    }
    rules.push(Object.freeze({ tool, labels: Object.freeze(labels), at }));
  }
  return Object.freeze(rules);
}

function checkBlocks(
  node: PolicyTree,
  path: DocumentPath,
  reading: TreeReading,
  tools: ToolNames,
): readonly BlockRule[] {
  const rules: BlockRule[] = [];
  for (const [label, value] of reading.mapping(node, path, "`blocks`") ?? []) {
    const at = Object.freeze([...path, label]);
    checkLabel(label, at, "key", reading);
    rules.push(
      Object.freeze({ label, tools: tools.references(value, at, "the tools that a label blocks"), at }),
    );
  }
  return Object.freeze(rules);
}

function checkLabel(text: string, path: DocumentPath, at: "key" | "value", reading: TreeReading): boolean {
  const message = checkName("the label", text);
  if (message !== undefined) reading.faults.error("bad_name", message, path, { at });
  return message === undefined;
}
