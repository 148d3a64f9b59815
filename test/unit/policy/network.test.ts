import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, parseAddress, parseNetwork } from '../../../src/policy/network.ts';

function lies(address: string, network: string): boolean {
  return contains(parseNetwork(network)!, parseAddress(address)!);
}

/** The definition: the first bits are the same. */
function bitsOf(address: string, width: number): string {
  const groups = address.includes(':') ? address.split(':') : address.split('.');
  const base = address.includes(':') ? 16 : 10;
  const bits = address.includes(':') ? 16 : 8;
  return groups
    .map((group) => parseInt(group, base).toString(2).padStart(bits, '0'))
    .join('')
    .padStart(width, '0');
}

const v4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((bytes) => bytes.join('.'));
const v6 = fc
  .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));

describe('a network', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24', true],
    ['192.0.3.1', '192.0.2.0/24', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.2', '192.0.2.1', false],
    ['198.51.100.9', '0.0.0.0/0', true],
    ['2001:db8::9', '2001:db8::/32', true],
    ['2001:DB8:0:0::9', '2001:db8::/32', true],
    ['2001:db9::9', '2001:db8::/32', false],
    ['::1', '::1', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    // An IPv4 address in IPv6 clothes is the IPv4 address.
    ['::ffff:192.0.2.77', '192.0.2.0/24', true],
    ['::FFFF:c000:24d', '192.0.2.0/24', true],
    ['0:0:0:0:0:ffff:c000:024d', '192.0.2.0/24', true],
    ['::ffff:192.0.2.77', '::/0', false],
    ['::ffff:192.0.3.77', '192.0.2.0/24', false],
    // One family does not contain the other.
    ['192.0.2.1', '::/0', false],
    ['2001:db8::1', '0.0.0.0/0', false],
    // Not the same thing: RFC 4291, section 2.5.5.1.
    ['::192.0.2.77', '192.0.2.0/24', false],
  ])('%s in %s: %s', (address, network, expected) => {
    expect(lies(address, network)).toBe(expected);
  });

  it('has the addresses whose first bits are its own', () => {
    fc.assert(
      fc.property(v4, v4, fc.nat(32), (address, base, length) => {
        const same = bitsOf(address, 32).slice(0, length) === bitsOf(base, 32).slice(0, length);
        expect(lies(address, `${base}/${length}`)).toBe(same);
      }),
    );
    fc.assert(
      fc.property(v6, v6, fc.nat(128), (address, base, length) => {
        fc.pre(!address.startsWith('0:0:0:0:0:ffff:') && !base.startsWith('0:0:0:0:0:ffff:'));
        const same = bitsOf(address, 128).slice(0, length) === bitsOf(base, 128).slice(0, length);
        expect(lies(address, `${base}/${length}`)).toBe(same);
      }),
    );
  });

  it.each([
    '',
    'example.com',
    '192.0.2',
    '192.0.2.1/33',
    '192.0.2.1/',
    '192.0.2.1/-1',
    '192.0.2.1/255.255.255.0',
    '2001:db8::/129',
    '::ffff:192.0.2.0/120',
    '::ffff:192.0.2.0/24',
    '::ffff:192.0.2.1',
    'fe80::%eth0/64',
    '[::1]',
    ' 192.0.2.1',
    '192.0.2.1\n',
    '010.0.0.1',
    '1/8',
    '*',
    '10.*',
  ])('is not %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });
});

describe('an address', () => {
  it.each([
    '',
    'localhost',
    'host.example.com',
    '192.0.2.1.example.com',
    '0x7f000001',
    '2130706433',
    '1.2.3',
    '[::1]',
    '::1/128',
    'fe80::1%',
  ])('is not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('of anything never fails', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4()), (text) => void parseAddress(text)));
  });
});
