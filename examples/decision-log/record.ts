import { configureRbac, d2Guard, getPolicyManager, runAs, shutdownRbac } from "d2-sdk";

const nothing = (): undefined => undefined;
const quiet = { debug: nothing, info: nothing, warn: console.warn, error: console.error };

const read = d2Guard("crm.read", { onDeny: undefined }, ({ id }: { id: number }) => ({
  id,
  name: "Ada Example",
}));
const exported = d2Guard("crm.export", { onDeny: undefined }, (_: { since: string }) => 3);
const search = d2Guard("kb.search", { onDeny: undefined }, ({ text }: { text: string }) => [text]);
const mail = d2Guard("mail.send", { onDeny: undefined }, (_: { to: string }) => "sent");
const post = d2Guard("web.post", { onDeny: undefined }, (_: { url: string }) => "posted");
const refund = d2Guard("refund", { onDeny: undefined }, async ({ amount }: { amount: number }) => amount);

/** Calls of one conversation. */
const CALLS_A_CONVERSATION = 8;

/**
 * Has clerks and leads make guarded calls, and a decision log kept of them.
 *
 * @param folder where `audit.jsonl` and what belongs to it go
 * @param key private key, in PEM, that signs how far the log has come
 */
export async function recordCalls(folder: string, key: string, calls: number): Promise<void> {
  await configureRbac({
    policyFile: new URL("policy.yaml", import.meta.url),
    logger: quiet,
    decisionLog: { path: `${folder}/audit.jsonl`, level: "arguments", sign: { key, everyLines: 5_000 } },
  });
  for (let n = 0; n < calls / CALLS_A_CONVERSATION; n++) {
    const clerk = n % 5 !== 0;
    await runAs(
      clerk ? `clerk-${n % 7}` : `lead-${n % 3}`,
      { roles: [clerk ? "clerk" : "lead"] },
      async () => {
        search({ text: `question ${n}` });
        mail({ to: "customer@example.com" });
        await refund({ amount: (n * 13) % 120 });
        read({ id: n });
        mail({ to: "team@example.com" });
        post({ url: "https://example.com/tickets" });
        exported({ since: "yesterday" });
        mail({ to: "customer@example.com" });
      },
    );
    // A queue has an end: what has come in so far is written before more comes.
    if (n % 100 === 99) await getPolicyManager().flushDecisionLog();
  }
  await shutdownRbac();
}
