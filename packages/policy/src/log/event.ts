import type { HexDigest } from "d2-core";
import type { JsonMapping } from "./canonical-line.js";

/** Names of a policy, as events give them. */
export interface RecordedPolicy {
  readonly policyId: string;
  readonly policyVersion: string;
  readonly policyDigest: HexDigest;
}

/** What an INTENT says of a call or a release. */
export interface Intent {
  readonly inputs: JsonMapping;
  readonly extensions: JsonMapping;
  readonly tool: string;
  /** As recorded: a text, or a tag where the id is no well-formed one. */
  readonly principal: unknown;
  readonly roles: readonly unknown[];
  readonly policyState: string;
  readonly policy: RecordedPolicy;
  readonly tenant: string;
  /** Digest of the arguments or of the output; `undefined`: parts are withheld, so it cannot be told. */
  readonly valueDigest: string | undefined;
}

export interface CallIntent extends Intent {
  readonly historyLength: number;
  readonly historyDigest: string;
  /** Texts, and tags where a label is no well-formed text. */
  readonly facts: readonly unknown[];
  readonly within: string | undefined;
  readonly around: readonly { readonly id: string; readonly mirrored: boolean }[];
}

export interface Gate {
  readonly allow: boolean;
  readonly reason: string;
}

/** An event of a log in its parts. */
export type LogEvent =
  | { readonly form: "call"; readonly key: CallKey; readonly intent: CallIntent }
  | { readonly form: "release"; readonly key: CallKey; readonly intent: Intent }
  | { readonly form: "session_end"; readonly session: string }
  | { readonly form: "lost"; readonly stream: string; readonly number: number; readonly count: number }
  | {
      readonly form: "decision";
      readonly key: CallKey;
      readonly gate: Gate;
      readonly policyId: string;
      readonly policyVersion: string;
      readonly tenant: string;
    }
  | { readonly form: "proof"; readonly key: CallKey; readonly argumentsDigest: string }
  | {
      readonly form: "release_proof";
      readonly key: CallKey;
      readonly releasedDigest: string;
      /** Canonical JSON of the list. */
      readonly transforms: string;
    }
  | {
      readonly form: "execution";
      readonly key: CallKey;
      readonly argumentsDigest: string;
      readonly outputDigest: string;
      readonly success: boolean;
    };

/** A correlation id in its parts. */
export interface CallKey {
  /** As it stands, without `:release`. */
  readonly id: string;
  /** The session's id, or the stream's name where there is no user. */
  readonly prefix: string;
  readonly number: number;
  readonly release: boolean;
}

const CALL = /^(.+):([1-9][0-9]{0,14})(:release)?$/s;

/** Reads the correlation id of a call or of its release. */
export function readCallKey(correlationId: string): CallKey | undefined {
  const found = CALL.exec(correlationId);
  const [, prefix, number, release] = found ?? [];
  if (prefix === undefined || number === undefined) return undefined;
  const id = release === undefined ? correlationId : `${prefix}:${number}`;
  return { id, prefix, number: Number(number), release: release !== undefined };
}
