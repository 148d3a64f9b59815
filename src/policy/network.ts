import { BlockList, isIP } from 'node:net';

/** A range of addresses. */
export interface Network {
  /** As it was written. */
  readonly text: string;
  readonly family: Address['family'];
  readonly addresses: BlockList;
}

/** A literal address. */
export interface Address {
  readonly family: 'ipv4' | 'ipv6';
  /** Without a zone. */
  readonly text: string;
}

const NETWORK = /^([0-9a-fA-F.:]{2,45})(?:\/(\d{1,3}))?$/;
const BITS = { ipv4: 32, ipv6: 128 } as const;

/**
 * Reads a network: a literal address, or one with the length of its prefix (RFC 4632, section 3.1; RFC 4291, section 2.3).
 *
 * @param text - for example `192.0.2.0/24` or `2001:db8::1`
 * @returns the network; undefined if it is invalid, or an IPv4 address in IPv6 notation
 */
export function parseNetwork(text: string): Network | undefined {
  const [, base = '', prefix] = NETWORK.exec(text) ?? [];
  const address = parseAddress(base);
  if (address?.text !== base) {
    return undefined;
  }
  const bits = BITS[address.family];
  const length = prefix === undefined ? bits : Number(prefix);
  if (length > bits) {
    return undefined;
  }
  const addresses = new BlockList();
  addresses.addSubnet(base, length, address.family);
  return { text, family: address.family, addresses };
}

/**
 * Reads a literal address. A host name does not count, because the owner of the name server could then control the rules.
 *
 * @param text - an address; an IPv6 one may have a zone, and one that carries an IPv4 address (`::ffff:192.0.2.1`) is that address
 * @returns the address, or undefined when it is none
 */
export function parseAddress(text: string): Address | undefined {
  switch (isIP(text)) {
    case 4:
      return { family: 'ipv4', text };
    case 6:
      return unwrapped(text.replace(/%.*$/, ''));
    default:
      return undefined;
  }
}

/**
 * Whether an address lies in a network.
 *
 * @param network - the network
 * @param address - the address
 * @returns true when it does; never for the other family
 */
export function contains(network: Network, { text, family }: Address): boolean {
  // Node's list treats all of IPv4 as part of ::/0.
  return network.family === family && network.addresses.check(text, family);
}

/** RFC 4291, section 2.5.5.2. Parsing it as a URL makes all spellings equal. */
function unwrapped(text: string): Address {
  const [, high, low] =
    /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(new URL(`http://[${text}]/`).hostname) ?? [];
  if (high === undefined || low === undefined) {
    return { family: 'ipv6', text };
  }
  const bytes = Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex');
  return { family: 'ipv4', text: bytes.join('.') };
}
