import { describe, expect, it } from "vitest";
import { aDeployment, aLocation, anInstance, aNode, aVolume, aWorld } from "../testing/builders.ts";
import type { Change } from "./plan.ts";
import { newsOf } from "./plan-news.ts";

const world = aWorld({
  nodes: [aNode({ id: "n1", hostname: "alpha" }), aNode({ id: "n2", hostname: "beta" })],
  deployments: [aDeployment()],
  instances: [anInstance({ epoch: 2 })],
  locations: [aLocation({ epoch: 1, nodeId: "n1" }), aLocation({ epoch: 2, nodeId: "n2" })],
});

const one = { instanceId: "acme.web.1" } as const;

function news(...changes: Change[]) {
  return newsOf({ changes, wakeAt: undefined, basis: { locations: [], deployments: [] } }, world, 5);
}

describe("newsOf", () => {
  it("says of each change whose it is and where", () => {
    expect(news({ kind: "retire", ...one, epoch: 1, because: "a newer one serves" }).decisions).toEqual([
      {
        ...{ at: 5, kind: "location.retired", tenantId: "acme", deploymentId: "acme.web", instanceId: "acme.web.1" },
        ...{ nodeId: "n1", epoch: 1, sentence: "acme.web.1 on alpha leaves the routes: a newer one serves." },
      },
    ]);
  });

  it("knows the owner of an instance that the plan itself makes, or forgets", () => {
    const instance = anInstance({ id: "acme.web.2" });
    const { decisions } = news(
      { kind: "create-instance", instance, serial: 2 },
      {
        kind: "place",
        instanceId: instance.id,
        epoch: 1,
        nodeId: "n2",
        ports: [],
        placement: 1,
        because: "it is idle",
      },
      { kind: "forget-location", ...one, epoch: 2, portsFreeAt: 9 },
      { kind: "forget-instance", ...one },
    );
    expect(decisions.map(({ tenantId, deploymentId }) => [tenantId, deploymentId])).toEqual(
      Array.from({ length: 4 }, () => ["acme", "acme.web"]),
    );
    expect(decisions.map(({ sentence }) => sentence)).toEqual([
      "acme.web.2 was made for slot 0, release 1.",
      "acme.web.2 goes to beta: it is idle.",
      "Nothing of acme.web.1 at epoch 2 is left on beta.",
      "acme.web.1 has ended.",
    ]);
  });

  it("names each deployment and node that it touches once", () => {
    const { deploymentIds, nodeIds } = news(
      { kind: "stop", ...one, epoch: 1, because: "x" },
      { kind: "lose", ...one, epoch: 1, because: "x" },
      { kind: "create-volume", volume: aVolume({ nodeId: "n2" }), deploymentId: "acme.web" },
    );
    expect([deploymentIds, nodeIds]).toEqual([["acme.web"], ["n1", "n2"]]);
  });

  it("tells a refusal from its end", () => {
    const refusal = { removed: [], advice: "add a node" };
    const { decisions } = news({ kind: "refuse", ...one, refusal }, { kind: "refuse", ...one, refusal: undefined });
    expect(decisions.map(({ kind, sentence }) => [kind, sentence])).toEqual([
      ["instance.refused", "acme.web.1 fits on no node: add a node."],
      ["instance.stays", "acme.web.1 stays where it is: what it waited for is over."],
    ]);
  });
});
