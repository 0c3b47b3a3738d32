import { type Fault, FaultList, type PolicyTree, UNREADABLE } from "d2-core";
import { composeYaml, type TextRange, type YamlError } from "./yaml-compose.js";
import { type ReportFault, YamlTree } from "./yaml-tree.js";
import { wordYamlError } from "./yaml-wording.js";

/** A policy text as read: what it says, what is wrong with how it says it, and where everything stands. */
export interface PolicyText {
  /** The text without a byte order mark; ranges count from its start, in UTF-16 units. */
  readonly text: string;
  /** `UNREADABLE` when the text as a whole cannot be read. */
  readonly tree: PolicyTree;
  readonly faults: FaultList;
  /** Where a fault stands, whether it was found while reading or while checking. */
  rangeOf(fault: Fault): TextRange;
  /** Where the key or the value at a document path stands; for a path that is not there, its nearest parent. */
  rangeAt(path: Fault["path"], at: Fault["at"]): TextRange;
}

/**
 * Reads the text of a policy: YAML 1.2 or JSON, one document, without tags, merge keys and duplicate keys. Never throws;
 * every fault is in `faults`.
 *
 * @param options.format `json` also refuses what only YAML allows (comments, trailing commas, plain words).
 */
export function readPolicyText(
  source: string,
  options: { readonly format?: "yaml" | "json" } = {},
): PolicyText {
  return new Reading(source.startsWith("\ufeff") ? source.slice(1) : source, options.format);
}

class Reading implements PolicyText {
  readonly text: string;
  readonly tree: PolicyTree;
  readonly faults = new FaultList();
  readonly #ranges = new Map<Fault, TextRange>();
  #nodes: YamlTree | undefined;

  constructor(text: string, format: "yaml" | "json" | undefined) {
    this.text = text;
    this.tree = this.#read();
    if (format === "json" && !this.faults.hasErrors) this.#refuseYaml();
  }

  rangeOf(fault: Fault): TextRange {
    return this.#ranges.get(fault) ?? this.rangeAt(fault.path, fault.at);
  }

  rangeAt(path: Fault["path"], at: Fault["at"]): TextRange {
    return this.#nodes?.rangeAt(path, at) ?? { start: 0, end: 0 };
  }

  #read(): PolicyTree {
    const yaml = composeYaml(this.text);
    for (const range of yaml.tags) {
      this.#report("tag", "tags have no meaning in a policy: take it out", [], range);
    }
    for (const range of yaml.directives) {
      this.#report("directive", "policies are YAML 1.2 without directives: take the line out", [], range);
    }
    if (yaml.second !== undefined) {
      const message = "a policy is one document, here a second one begins: put it in a file of its own";
      this.#report("multiple_documents", message, [], yaml.second);
    }
    if (yaml.tooDeep !== undefined) {
      this.#report("too_deep", "the policy is nested too deep here: flatten it", [], yaml.tooDeep);
    }
    const broken = this.#reportErrors(yaml.errors);
    const { document } = yaml;
    if (broken || document === undefined) return UNREADABLE;
    if (document.contents === null || document.contents.range[0] === document.contents.range[1]) {
      const message = "the policy is empty: write at least `policies: []`";
      this.#report("empty_document", message, [], { start: 0, end: 0 });
      return UNREADABLE;
    }
    this.#nodes = new YamlTree(document, this.#report);
    return this.#nodes.tree;
  }

  /** Returns whether the text is so broken that what it says cannot be told. */
  #reportErrors(errors: readonly YamlError[]): boolean {
    let broken = false;
    let lineEnd = -1;
    for (const error of errors) {
      const fault = wordYamlError(error, this.text);
      if (fault === undefined) continue;
      broken ||= !fault.local;
      const { start } = error.range;
      if (!fault.local && start <= lineEnd) continue; // what follows on the same line follows from it
      if (!fault.local) lineEnd = endOfLine(this.text, start);
      const end = Math.max(error.range.end, start + (fault.length ?? 0));
      this.#report("syntax", fault.message, [], { start, end }, { suggestion: fault.suggestion });
    }
    return broken;
  }

  #refuseYaml(): void {
    try {
      JSON.parse(this.text);
    } catch (error) {
      const place = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
      const start = Number(place ?? 0);
      const message = "this is YAML and not JSON: keep to JSON, or read it as YAML";
      this.#report("not_json", message, [], { start, end: start + 1 });
    }
  }

  readonly #report: ReportFault = (code, message, path, range, details) => {
    this.#ranges.set(this.faults.error(code, message, path, details), range);
  };
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end;
}
