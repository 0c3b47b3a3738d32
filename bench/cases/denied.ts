import { configureRbac, d2Guard, runAs } from "d2-sdk";
import type { Figure } from "../figure.js";
import { GRANTED, largePolicy, NOT_GRANTED, ROLE, silent } from "../policies.js";
import { timeSideBySide } from "../timing.js";

class BareError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function bare(): never {
  throw new BareError("denied", "this call was refused");
}

function caught(tool: () => unknown): (times: number) => unknown {
  return (times) =>
    runAs("bench", { roles: [ROLE] }, () => {
      let last: unknown;
      for (let n = 0; n < times; n += 1) {
        try {
          tool();
        } catch (error) {
          last = error;
        }
      }
      return last;
    });
}

export async function measure(): Promise<Figure[]> {
  await configureRbac({ policy: largePolicy(), logger: silent });
  const [id = "none"] = NOT_GRANTED;
  if (GRANTED.includes(id)) throw new Error("the tool of the benchmark is granted");
  const denied = d2Guard(id, () => 1);
  const handled = d2Guard(id, { onDeny: 0 }, () => 1);
  const ns = timeSideBySide({ bare: caught(bare), denied: caught(denied), handled: caught(handled) });
  return [
    {
      what: "refused, thrown and caught, beside a bare `Error` subclass",
      unit: "x",
      value: ns.denied / ns.bare,
      atMost: 1.2,
    },
    { what: "refused, with a value for `onDeny`", unit: "ns", value: ns.handled, atMost: 200 },
    { what: "refused, thrown and caught", unit: "ns", value: ns.denied },
    { what: "a bare `Error` subclass, thrown and caught", unit: "ns", value: ns.bare },
  ];
}
