import { describe, expect, it } from "vitest";
import { clientAddress, trustProxies } from "./address.ts";

const trusted = trustProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);

describe("where a socket comes from", () => {
  it.each([
    ["a stranger who claims another address", "198.51.100.1", "203.0.113.9", "198.51.100.1"],
    ["behind one proxy", "10.1.2.3", "203.0.113.9", "203.0.113.9"],
    ["behind two proxies", "10.1.2.3", "203.0.113.9, 192.0.2.7", "203.0.113.9"],
    ["behind a proxy, with a claim of its own", "10.1.2.3", "1.1.1.1, 203.0.113.9", "203.0.113.9"],
    ["a proxy that says nothing", "10.1.2.3", undefined, "10.1.2.3"],
    ["a proxy that says nonsense", "10.1.2.3", "unknown", "10.1.2.3"],
    ["an IPv4 address in IPv6 form", "::ffff:10.1.2.3", "::ffff:203.0.113.9", "203.0.113.9"],
    ["IPv6 behind IPv6", "fd00::1", "2001:db8::5", "2001:db8::5"],
  ])("%s", (_, peer, forwarded, address) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(address);
  });

  it("is the connection's own where no proxy is trusted", () => {
    expect(clientAddress("127.0.0.1", "203.0.113.9", trustProxies([]))).toBe("127.0.0.1");
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/0", "proxy", "10.0.0.0/8/8", "10.0.0.0/-1"])("refuses %s", network => {
    expect(() => trustProxies([network])).toThrow(`"${network}" is no network of proxies`);
  });
});
