import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { readProxyHeader } from "./proxy-header.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const binary = (command: number, family: number, body: readonly number[]): Buffer =>
  Buffer.concat([SIGNATURE, Buffer.from([0x20 | command, family, 0, body.length, ...body])]);
const V4 = binary(1, 0x11, [203, 0, 113, 7, 10, 0, 0, 1, 0, 1, 0, 2]);
const V6 = binary(1, 0x21, [0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1, ...Array<number>(20).fill(0)]);
const line = (text: string): Buffer => Buffer.from(`${text}\r\n`);

describe("a header of the PROXY protocol", () => {
  it.each<[string, Buffer, string | undefined]>([
    ["version 2 and IPv4", V4, "203.0.113.7"],
    ["version 2 and IPv6", V6, "2001:db8:0:0:0:0:0:1"],
    ["version 2 of the proxy itself", binary(0, 0, []), undefined],
    ["version 1 and IPv4", line("PROXY TCP4 203.0.113.7 10.0.0.1 1 2"), "203.0.113.7"],
    ["version 1 and IPv6", line("PROXY TCP6 2001:db8::1 ::1 1 2"), "2001:db8::1"],
    ["version 1 of the proxy itself", line("PROXY UNKNOWN"), undefined],
  ])("of %s is read once it is whole", (_, header, address) => {
    for (let length = 0; length < header.length; length++)
      expect(readProxyHeader(header.subarray(0, length))).toBe("wait");
    const more = Buffer.concat([header, Buffer.from("rest")]);
    expect(readProxyHeader(more)).toEqual({ address, length: header.length });
  });

  it.each<[string, Buffer]>([
    ["MQTT", Buffer.from([0x10, 12, 0, 4, 77, 81, 84, 84])],
    ["version 3", Buffer.concat([SIGNATURE, Buffer.from([0x31, 0x11, 0, 0])])],
    ["a length that nobody needs", Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x11, 255, 255])])],
    ["too few bytes for its family", binary(1, 0x11, [1, 2, 3])],
    ["a family of no address", binary(1, 0x31, Array<number>(40).fill(0))],
    ["no address", line("PROXY TCP4 here there 1 2")],
    ["a line without an end", Buffer.from(`PROXY TCP4 ${"1".repeat(120)}`)],
  ])("is none where it is %s", (_, bytes) => {
    expect(readProxyHeader(bytes)).toBeUndefined();
  });
});
