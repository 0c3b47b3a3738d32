// What the assistant of a shop can do. Each function is guarded by its tool id; the policy says who may call it, and how.
import { d2Guard } from "d2-sdk";

export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly email: string;
  readonly total: number;
}

const ORDERS: readonly Order[] = [
  { id: 1, customer: "Ann Example", email: "ann@shop.example", total: 40 },
  { id: 2, customer: "Bo Sample", email: "bo@shop.example", total: 700 },
];

export const searchOrders = d2Guard("orders.search", ({ limit }: { limit: number }) =>
  ORDERS.slice(0, limit),
);

export const readOrder = d2Guard("orders.read", ({ id }: { id: number }) =>
  ORDERS.find((it) => it.id === id),
);

export const refund = d2Guard(
  "payments.refund",
  ({ order, amount }: { order: number; amount: number }) => `refunded ${amount} for order ${order}`,
);

export const sendMail = d2Guard("mail.send", ({ to }: { to: string; body: string }) => `sent to ${to}`);

export const summarize = d2Guard(
  "stats.summarize",
  ({ rows }: { rows: number }) => `${rows} orders, no names`,
);

export const deleteOrder = d2Guard("orders.delete", ({ id }: { id: number }) => `deleted ${id}`);
