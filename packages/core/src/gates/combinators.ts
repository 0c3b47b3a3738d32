import {
  ALLOW_GATE,
  ask,
  denied,
  type Gate,
  type GateOptions,
  type GateVerdict,
  InvalidGateError,
  makeGate,
} from "./gate.js";

/** Allows everything. */
export function allow(options: GateOptions = {}): Gate {
  return makeGate("allow", {}, options, () => ALLOW_GATE);
}

/** Denies everything. */
export function deny(options: GateOptions = {}): Gate {
  return makeGate("deny", {}, options, (_, label) => denied("gate.deny", null, label));
}

/** Allows when all gates do, asked in order; the first denial is the answer, as it is. */
export function chain(gates: readonly Gate[], options: GateOptions = {}): Gate {
  const own = checkGates("chain", gates);
  return makeGate("chain", { gates: own.map((gate) => gate.describe()) }, options, (context) => {
    for (const gate of own) {
      const verdict = ask(gate, context);
      if (verdict.outcome === "DENY") return verdict;
    }
    return ALLOW_GATE;
  });
}

/** Allows when one of the gates does, asked in order. Otherwise the detail is that of the last one. */
export function anyOf(gates: readonly Gate[], options: GateOptions = {}): Gate {
  const own = checkGates("anyOf", gates);
  return makeGate("any_of", { gates: own.map((gate) => gate.describe()) }, options, (context, label) => {
    let last: GateVerdict = ALLOW_GATE;
    for (const gate of own) {
      last = ask(gate, context);
      if (last.outcome === "ALLOW") return ALLOW_GATE;
    }
    return denied("gate.any_of.all_denied", last.detail, label);
  });
}

/** Allows what the gate denies, for whatever reason, a missing key included, and denies what it allows. */
export function invert(inner: Gate, options: GateOptions = {}): Gate {
  checkGates("invert", [inner]);
  return makeGate("invert", { inner: inner.describe() }, options, (context, label) =>
    ask(inner, context).outcome === "DENY"
      ? ALLOW_GATE
      : denied("gate.invert.inverted_allow", { inverted_from: "ALLOW" }, label),
  );
}

/** What `answer` says in place of what its gate says. */
export interface AnswerWords {
  /** Reason code of an ALLOW. Default: the gate's own. */
  readonly allow?: string;
  /** Reason code of a DENY. Default: the gate's own. */
  readonly deny?: string;
  /** Message of a DENY; `{key}` stands for the text input of that name. Default: the gate's detail. */
  readonly message?: string;
}

/** Answers as the gate does, in words of one's own. */
export function answer(inner: Gate, words: AnswerWords, options: GateOptions = {}): Gate {
  checkGates("answer", [inner]);
  for (const word of Object.values(words)) {
    if (typeof word !== "string" || word === "") {
      throw new InvalidGateError("the words of `answer` must be non-empty strings");
    }
  }
  const { allow: allowCode, deny: denyCode, message } = words;
  const parameters = {
    inner: inner.describe(),
    ...(allowCode === undefined ? {} : { allow_code: allowCode }),
    ...(denyCode === undefined ? {} : { deny_code: denyCode }),
    ...(message === undefined ? {} : { deny_message: message }),
  };
  return makeGate("answer", parameters, options, (context, label) => {
    const verdict = ask(inner, context);
    if (verdict.outcome === "ALLOW") {
      return allowCode === undefined ? verdict : Object.freeze({ ...ALLOW_GATE, reasonCode: allowCode });
    }
    if (denyCode === undefined && message === undefined) return verdict;
    const reworded = denied(denyCode ?? verdict.reasonCode, verdict.detail, label);
    if (message === undefined) return reworded;
    const filled = message.replaceAll(/\{(\w+)\}/g, (whole, key: string) => {
      const value = Object.entries(context.inputs).find(([name]) => name === key)?.[1];
      return typeof value === "string" ? value : whole;
    });
    return Object.freeze({ ...reworded, message: filled });
  });
}

function checkGates(name: string, gates: readonly Gate[]): readonly Gate[] {
  const isGate = (gate: Gate): boolean =>
    typeof gate?.evaluate === "function" && typeof gate.describe === "function";
  if (!Array.isArray(gates) || gates.length === 0 || !gates.every(isGate)) {
    throw new InvalidGateError(`\`${name}\` must be given at least one gate, and gates only`);
  }
  return Object.freeze(gates.slice());
}
