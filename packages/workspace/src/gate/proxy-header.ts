import type { Buffer } from "node:buffer";
import { isIP } from "node:net";

/** What a proxy said of a connection at its front, and how many bytes that took. */
export interface ProxyHeader {
  /** Of whoever connected to the proxy; `undefined` where the proxy speaks for itself. */
  readonly address: string | undefined;
  readonly length: number;
}

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const LONGEST_LINE = 107;

/** The most bytes that a header is waited for. */
export const LONGEST_HEADER = 16 + 1024;

/**
 * Reads a PROXY header of version 1 or 2. `wait` while it is not whole; `undefined` where the bytes
 * can be none, so that whoever sends them has not come through the proxy.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | "wait" | undefined {
  const front = bytes.subarray(0, SIGNATURE.length).toString("latin1");
  if (SIGNATURE.startsWith(front)) return bytes.length < 16 ? "wait" : readBinary(bytes);
  const line = bytes.subarray(0, LONGEST_LINE).toString("latin1");
  if (!"PROXY ".startsWith(line.slice(0, 6))) return undefined;
  const end = line.indexOf("\r\n");
  if (end < 0) return line.length < LONGEST_LINE ? "wait" : undefined;
  const [, family, address = ""] = line.slice(0, end).split(" ");
  if (family === "UNKNOWN") return { address: undefined, length: end + 2 };
  return isIP(address) === 0 ? undefined : { address, length: end + 2 };
}

function readBinary(bytes: Buffer): ProxyHeader | "wait" | undefined {
  const [version, family] = [bytes[12]!, bytes[13]! >> 4];
  const length = 16 + bytes.readUInt16BE(14);
  if (version >> 4 !== 2 || length > LONGEST_HEADER) return undefined;
  if (bytes.length < length) return "wait";
  // 0 is the proxy's own connection, such as a health check.
  if ((version & 15) === 0) return { address: undefined, length };
  if (family === 1 && length >= 28) return { address: [...bytes.subarray(16, 20)].join("."), length };
  if (family === 2 && length >= 52) {
    const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(16 + index * 2).toString(16));
    return { address: words.join(":"), length };
  }
  return undefined;
}
