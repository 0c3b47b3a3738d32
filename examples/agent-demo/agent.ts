import { type Decision, PermissionDeniedError } from "d2-sdk";
import type { Ticket } from "./database.js";
import type { Customer } from "./people.js";
import type { Tools } from "./tools.js";

/** One thing the agent did, or tried to do. */
export interface Step {
  readonly call: string;
  /** Absent when the call ran. */
  readonly refusal?: Decision;
}

interface Ability {
  readonly wording: RegExp;
  /** How the step is called in a report. */
  readonly call: (words: readonly string[]) => string;
  readonly run: (words: readonly string[]) => unknown;
}

/**
 * A naive agent. It turns sentences into calls, and it cannot tell its task from what it reads: a sentence in a ticket
 * is obeyed just like one of its user. Language models are fooled in much the same way; this one is fooled every time.
 */
export class NaiveAgent {
  readonly steps: Step[] = [];
  /** The customer records that the agent has got hold of. */
  customers: readonly Partial<Customer>[] = [];
  readonly #tools: Tools;
  readonly #obeyed = new Set<string>();
  #tickets: readonly Ticket[] = [];

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  readonly #abilities: readonly Ability[] = [
    {
      wording: /read the open tickets/gi,
      call: () => "tickets.list_open",
      run: async () => {
        this.#tickets = this.#tools.listOpenTickets();
        for (const { text } of this.#tickets) await this.obey(text);
      },
    },
    {
      wording: /export all customers/gi,
      call: () => "crm.export",
      run: () => this.#see(this.#tools.exportCustomers()),
    },
    {
      wording: /list (\d+) customers/gi,
      call: ([count]) => `crm.list ${count}`,
      run: ([count]) => this.#see(this.#tools.listCustomers({ limit: Number(count) })),
    },
    {
      wording: /post the customers to (http\S+\w)/gi,
      call: ([url = ""]) => `web.post ${new URL(url).pathname}`,
      run: ([url = ""]) => this.#tools.post({ url, body: JSON.stringify(this.customers) }),
    },
    {
      wording: /mail the customers to (\S+@\S+\w)/gi,
      call: ([to = ""]) => `mail.send ${mailbox(to)}`,
      run: ([to = ""]) =>
        this.#tools.sendMail({ to, subject: "Customers", body: JSON.stringify(this.customers) }),
    },
    {
      wording: /change the address of customer (\d+) to (\S+@\S+\w)/gi,
      call: ([id]) => `crm.change_email ${id}`,
      run: ([id, email = ""]) => this.#tools.changeEmail({ id: Number(id), email }),
    },
    {
      wording: /mail a summary to (\S+@\S+\w)/gi,
      call: ([to = ""]) => `mail.send ${mailbox(to)}`,
      run: ([to = ""]) => this.#tools.sendMail({ to, subject: "Open tickets", body: this.#summary() }),
    },
  ];

  /** Does what the text says, sentence by sentence, and the same sentence once. */
  async obey(text: string): Promise<void> {
    // Like a model, it understands an address in whatever way it is spelt.
    const plain = text.replaceAll(" (at) ", "@");
    const found = this.#abilities.flatMap((ability) =>
      [...plain.matchAll(ability.wording)].map((match) => ({ ability, match })),
    );
    found.sort((a, b) => a.match.index - b.match.index);
    for (const { ability, match } of found) {
      const [sentence, ...words] = match;
      if (this.#obeyed.has(sentence)) continue;
      this.#obeyed.add(sentence);
      await this.#attempt(ability, words);
    }
  }

  async #attempt({ call, run }: Ability, words: readonly string[]): Promise<void> {
    const place = this.steps.length;
    this.steps.push({ call: call(words) });
    try {
      await run(words);
    } catch (error) {
      if (!(error instanceof PermissionDeniedError)) throw error;
      // A refused tool is no reason to stop for it: it goes on with what it was told next.
      this.steps[place] = { call: call(words), refusal: error.decision };
    }
  }

  /** Keeps the best that it has got hold of. */
  #see(customers: readonly Partial<Customer>[]): void {
    if (customers.length > this.customers.length) this.customers = customers;
  }

  #summary(): string {
    const lines = this.#tickets.map(({ id, subject, text }) => `#${id} ${subject}: ${text.slice(0, 60)}`);
    return `${this.#tickets.length} open tickets\n${lines.join("\n")}\n`;
  }
}

/** Who a mail is for, in short. */
function mailbox(address: string): string {
  return address.replace(/@.*/, "");
}
