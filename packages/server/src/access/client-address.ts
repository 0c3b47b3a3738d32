import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An IPv4 address in an IPv6 one is itself again. */
function plain(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** @throws Error when an entry is neither an address nor a network */
export function trustedNetworks(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits, ...rest] = entry.split("/");
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(prefix <= most)) {
      throw new Error("trusted proxies must be addresses or networks such as `10.0.0.0/8`");
    }
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/**
 * Tells who is calling: the peer, or, where the peer is a trusted proxy, the last address in `X-Forwarded-For` that is
 * not one itself. What an untrusted peer says is not believed.
 */
export class ClientAddress {
  readonly #trusted: BlockList;
  readonly #any: boolean;

  constructor(trustedProxies: readonly string[]) {
    this.#trusted = trustedNetworks(trustedProxies);
    this.#any = trustedProxies.length > 0;
  }

  of(incoming: IncomingMessage): string {
    let address = plain(incoming.socket.remoteAddress ?? "");
    if (!this.#any || !this.#trusts(address)) return address;
    const forwarded = incoming.headers["x-forwarded-for"];
    const hops = (Array.isArray(forwarded) ? forwarded.join(",") : (forwarded ?? "")).split(",");
    for (const hop of hops.reverse()) {
      const next = plain(hop.trim());
      if (isIP(next) === 0) return address;
      address = next;
      if (!this.#trusts(address)) return address;
    }
    return address;
  }

  #trusts(address: string): boolean {
    return isIP(address) !== 0 && this.#trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }
}

/** What rates are counted by: an IPv4 address, or the network that one IPv6 customer gets. */
export function rateKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}
