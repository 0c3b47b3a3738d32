import { d2Guard } from "d2-sdk";
import type { ShopDatabase, Ticket } from "./database.js";
import type { Mail, MailRelay } from "./mail.js";
import type { Customer } from "./people.js";

/** What the agent can do in the world. */
export interface Tools {
  listOpenTickets(): Ticket[];
  exportCustomers(): Partial<Customer>[];
  listCustomers(query: { limit: number }): Partial<Customer>[];
  changeEmail(change: { id: number; email: string }): void;
  sendMail(mail: Mail): Promise<void>;
  post(request: { url: string; body: string }): Promise<number>;
}

/** The tools as they are, over a real database, a real outbox and real HTTP. */
export function bareTools(database: ShopDatabase, relay: MailRelay): Tools {
  return {
    listOpenTickets: () => database.openTickets(),
    exportCustomers: () => database.customers(1_000_000),
    listCustomers: ({ limit }) => database.customers(limit),
    changeEmail: ({ id, email }) => database.changeEmail(id, email),
    sendMail: async (mail) => relay.send(mail),
    post: async ({ url, body }) => (await fetch(url, { method: "POST", body })).status,
  };
}

/** The same tools behind the policy. This is all that guarding takes. */
export function guardedTools(bare: Tools): Tools {
  return {
    listOpenTickets: d2Guard("tickets.list_open", bare.listOpenTickets),
    exportCustomers: d2Guard("crm.export", bare.exportCustomers),
    listCustomers: d2Guard("crm.list", bare.listCustomers),
    changeEmail: d2Guard("crm.change_email", bare.changeEmail),
    sendMail: d2Guard("mail.send", bare.sendMail),
    post: d2Guard("web.post", bare.post),
  };
}
