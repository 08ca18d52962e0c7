import { octets, parseIpv4, parseIpv6 } from "../model/address.ts";

/** Ranges of IPv4 that are nobody's in the Internet: their first address and their prefix. */
const NOT_PUBLIC: readonly (readonly [number, number])[] = [
  [octets(0, 0, 0, 0), 8],
  [octets(10, 0, 0, 0), 8],
  [octets(100, 64, 0, 0), 10],
  [octets(127, 0, 0, 0), 8],
  [octets(169, 254, 0, 0), 16],
  [octets(172, 16, 0, 0), 12],
  [octets(192, 0, 0, 0), 24],
  [octets(192, 0, 2, 0), 24],
  [octets(192, 88, 99, 0), 24],
  [octets(192, 168, 0, 0), 16],
  [octets(198, 18, 0, 0), 15],
  [octets(198, 51, 100, 0), 24],
  [octets(203, 0, 113, 0), 24],
  [octets(224, 0, 0, 0), 3],
];

/**
 * Whether the text is an address, of IPv4 or IPv6, that is reached over the Internet. An address
 * that programs read in several ways, such as `127.1`, is none.
 */
export function isPublicAddress(text: string): boolean {
  const four = parseIpv4(text);
  if (four !== undefined) return isPublicIpv4(four);
  const groups = parseIpv6(text);
  return groups !== undefined && isPublicIpv6(groups);
}

/** Whether a host is meant as an address: a browser reads a last part of digits alone as one. */
export function looksLikeAddress(host: string): boolean {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return host.includes(":") || /^(\d+|0x[\da-f]*)$/i.test(last);
}

function isPublicIpv4(address: number): boolean {
  return !NOT_PUBLIC.some(([first, prefix]) => {
    const size = 2 ** (32 - prefix);
    return address >= first && address < first + size;
  });
}

/**
 * Only 2000::/3 is given out; of it Teredo and 6to4 lead to an IPv4 address inside, so that they
 * count as none.
 */
function isPublicIpv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0] = groups;
  if (first >> 13 !== 1) return false;
  const leadsInside = first === 0x2002 || (first === 0x2001 && (second === 0 || second === 0x0db8));
  return !leadsInside;
}
