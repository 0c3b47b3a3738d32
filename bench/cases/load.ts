import { compilePlan } from "d2-core";
import { loadPolicy } from "d2-policy";
import { parse } from "yaml";
import type { Figure } from "../figure.js";
import { largePolicyText } from "../policies.js";
import { timeSideBySide } from "../timing.js";

export function measure(): Figure[] {
  const text = largePolicyText();
  const ms = timeSideBySide(
    {
      ours: () => {
        const { document, expiresAt } = loadPolicy(text, { now: 0 });
        return compilePlan(document, { expiresAt });
      },
      yaml: () => parse(text),
    },
    { rounds: 7, warmUp: 1500, batch: 1 },
  );
  return [
    {
      what: "read, check and compile 50 roles x 1,000 tools, beside `yaml`'s parse",
      unit: "x",
      value: ms.ours / ms.yaml,
      atMost: 2,
    },
    { what: "read, check and compile 50 roles x 1,000 tools", unit: "ms", value: ms.ours / 1e6 },
    { what: "`yaml`'s parse of the same", unit: "ms", value: ms.yaml / 1e6 },
    { what: "size of the text", unit: "bytes", value: text.length },
  ];
}
