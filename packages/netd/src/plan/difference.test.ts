import fc from "fast-check";
import { NetWay } from "@skep/api/gen/skep/v1/net_pb.ts";
import { describe, expect, it } from "vitest";
import { createMemoryKernel } from "../kernel/memory.ts";
import { attachment, fullMessage, message, peer, stateOf } from "../testing/states.ts";
import { desire } from "./desire.ts";
import { difference } from "./difference.ts";
import { EMPTY_PLANE, type Plane } from "./plane.ts";
import { EMPTY_SURVEY } from "./survey.ts";

const NAMESPACES = ["/run/netns/one", "/run/netns/two"] as const;

/**
 * Small planes that have much in common, so that going from one to another is every kind of change.
 */
const planes: fc.Arbitrary<Plane> = fc
  .record({
    addresses: fc.uniqueArray(fc.integer({ min: 2, max: 5 }), { maxLength: 3 }),
    epoch: fc.integer({ min: 1, max: 2 }),
    networks: fc.uniqueArray(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: 3 }),
    netns: fc.constantFrom(...NAMESPACES),
    way: fc.constantFrom(NetWay.DIRECT, NetWay.VXLAN, undefined),
    port: fc.constantFrom(8472, 8473),
    mtu: fc.constantFrom(1_400, 1_500),
    published: fc.constantFrom(80, 8080),
  })
  .map(({ addresses, epoch, networks, netns, way, port, mtu, published }) => {
    const told = message({
      peers: way === undefined ? [] : [peer({ way })],
      vxlan: { vni: 7, port },
      attachments: addresses.map((last, index) =>
        attachment({
          instanceId: `i${last}`,
          epoch,
          address: `10.128.0.${last}`,
          netns,
          networks,
          published: index > 0 ? [] : [{ protocol: 1, hostPort: 8080, containerPort: published }],
        }),
      ),
    });
    const links = [{ name: "eth0", mtu, addresses: ["198.18.0.11"] }];
    return desire(stateOf(told), { ...EMPTY_SURVEY, links }).plane;
  });

describe("the difference of two planes", () => {
  it("leads from any plane to any other, and is then empty", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(planes, { minLength: 1, maxLength: 4 }), async wanted => {
        const kernel = createMemoryKernel(NAMESPACES);
        for (const plane of wanted) {
          expect(await kernel.carryOut(difference(kernel.plane, plane))).toEqual([]);
          expect(difference(kernel.plane, plane)).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  const plane = desire(stateOf(fullMessage(NAMESPACES)), EMPTY_SURVEY).plane;

  it("puts walls up before any way, and marks a link last", () => {
    const kinds = difference(EMPTY_PLANE, plane).map(step => step.kind);
    expect(kinds[0]).toBe("put-table");
    expect(kinds.indexOf("mark-ready")).toBeGreaterThan(kinds.lastIndexOf("set-up-inside"));
    expect(kinds.indexOf("put-route")).toBeGreaterThan(kinds.lastIndexOf("mark-ready"));
  });

  it("changes elements alone while the rules stay", () => {
    const other = desire(stateOf({ ...fullMessage(NAMESPACES), remotes: [] }), EMPTY_SURVEY).plane;
    const [step, ...more] = difference(plane, other);
    expect(more).toEqual([]);
    expect(step).toMatchObject({ kind: "change-elements", add: new Map() });
    expect(step?.kind === "change-elements" && [...step.remove.keys()]).toEqual(["net1", "members"]);
  });

  it("makes a link anew that was not finished", () => {
    const links = new Map([...plane.links].map(([name, link]) => [name, { ...link, isReady: false }]));
    const kinds = difference({ ...plane, links }, plane).map(step => step.kind);
    expect(kinds.slice(0, 4)).toEqual(["remove-link", "remove-link", "add-link", "add-link"]);
  });

  it("asks Docker only where Docker has a say", () => {
    const kinds = (passesDocker: boolean | undefined) =>
      difference({ ...plane, passesDocker }, plane).map(step => step.kind);
    expect([kinds(undefined), kinds(true), kinds(false)]).toEqual([[], [], ["pass-docker"]]);
  });
});
