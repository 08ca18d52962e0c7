import { describe, expect, test } from "vitest";
import { fleetAddresses, fleetNames, maxNodes, nodeAddress, nodeHardwareAddress, nodeNames } from "./names.ts";

describe("the names of a fleet", () => {
  test("fit into the 15 characters of a link's name, however long the fleet's own may be", () => {
    expect(fleetNames("a123456789").hostLink.length).toBeLessThanOrEqual(15);
    for (const bad of ["", "a1234567890", "Up", "1a", "a-b", "a/b", "..", "a b"]) {
      expect(() => fleetNames(bad)).toThrow(/cannot be the name of a fleet/);
    }
  });

  test("of one fleet never begin with the prefix of another", () => {
    const [one, two] = [fleetNames("dev"), fleetNames("dev2")];
    expect(nodeNames(two, "node-1").scope.startsWith(one.prefix)).toBe(false);
    expect(two.networkNamespace.startsWith(one.prefix)).toBe(false);
  });

  test("lead to the data directory that a running fleet was started with", () => {
    expect(nodeNames(fleetNames("dev", "/elsewhere/dev"), "node-2").dataDir).toBe("/elsewhere/dev/node-2");
  });
});

describe("the addresses of a fleet", () => {
  test("are the bridge, the host and one per node, all different", () => {
    const { bridge, host, subnet } = fleetAddresses(7);
    const nodes = Array.from({ length: maxNodes }, (_, at) => nodeAddress(7, at + 1));
    expect(subnet).toBe("10.77.7.0/24");
    expect(nodes[0]).toBe("10.77.7.11");
    expect(new Set([bridge, host, ...nodes]).size).toBe(maxNodes + 2);
    expect(nodes.every(address => Number(address.split(".")[3]) < 254)).toBe(true);
  });

  test("have hardware addresses of their own that stay the same over boots", () => {
    expect(nodeHardwareAddress(7, 1)).toBe(nodeHardwareAddress(7, 1));
    expect(nodeHardwareAddress(7, 1)).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    expect(nodeHardwareAddress(7, 1)).not.toBe(nodeHardwareAddress(8, 1));
  });
});
