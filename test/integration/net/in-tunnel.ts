/**
 * What a VXLAN packet carries: a frame with a datagram of UDP from one instance to another, as a
 * stranger would make it who knows the addresses.
 */
export function inTunnel(from: string, to: string, port: number): Buffer {
  const vxlan = Buffer.from([0x08, 0, 0, 0, 0, 0, 7, 0]);
  // To the hardware address of the first node on the tunnel, from any.
  const ethernet = Buffer.from([0x0a, 0x58, 0x0a, 0x80, 0, 0, 2, 0, 0, 0, 0, 1, 0x08, 0]);
  const udp = Buffer.alloc(8);
  for (const [offset, value] of [5000, port, udp.length].entries()) udp.writeUInt16BE(value, offset * 2);
  const ip = Buffer.from([0x45, 0, 0, 20 + udp.length, 0, 1, 0, 0, 64, 17, 0, 0, ...bytes(from), ...bytes(to)]);
  ip.writeUInt16BE(checksum(ip), 10);
  return Buffer.concat([vxlan, ethernet, ip, udp]);
}

function bytes(address: string): readonly number[] {
  return address.split(".").map(Number);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < header.length; offset += 2) sum += header.readUInt16BE(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
