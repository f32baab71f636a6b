import { BlockList, isIP } from 'node:net';

type Network = readonly [address: string, bits: number];

/** All of IPv4 that is not for everybody, by the registry of special-purpose addresses of IANA (RFC 6890). */
const closedV4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, and all that is reserved above it.
  ['224.0.0.0', 3],
];

/** The one part of IPv6 that is given out to networks. Mapped, translated (NAT64) and local addresses lie outside. */
const openV6: Network = ['2000::', 3];
/** Of that part: tunnels (Teredo, 6to4), which lead to IPv4 addresses, and what is for documents and protocols. */
const closedV6: readonly Network[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const listOf = (networks: readonly Network[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, family);
  return list;
};

const refusedV4 = listOf(closedV4, 'ipv4');
const takenV6 = listOf([openV6], 'ipv6');
const refusedV6 = listOf(closedV6, 'ipv6');

/** Tells of an address whether it is one of these, however it is spelt. */
export const amongThese = (addresses: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const one of addresses) {
    const family = isIP(one);
    if (family !== 0 && !one.includes('%')) list.addAddress(one, familyName(family));
  }
  return (address) => list.check(address, familyName(isIP(address)));
};

const familyName = (family: number): 'ipv4' | 'ipv6' => (family === 4 ? 'ipv4' : 'ipv6');

/** Whether it is an IP address of one machine that everybody may reach. An address with a zone is none. */
export const isPublicAddress = (address: string): boolean => {
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 4) return !refusedV4.check(address, 'ipv4');
  return family === 6 && takenV6.check(address, 'ipv6') && !refusedV6.check(address, 'ipv6');
};
