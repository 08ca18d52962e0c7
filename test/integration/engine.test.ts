import { docker, downFleet, upFleet } from "@skep/devswarm/fleet.ts";
import { engineContract } from "@skep/agent/engine/engine.contract.ts";
import { openDocker } from "@skep/agent/engine/docker.ts";
import { importBusybox } from "../support/busybox.ts";

engineContract("a real Docker engine", async () => {
  const fleet = await upFleet({ name: "agenttest", nodes: 1, managers: 1 });
  const node = fleet.nodes[0];
  if (node === undefined) throw new Error("The fleet agenttest has no node.");
  await importBusybox(argv => docker(fleet, node.name, argv), "skep-test/box");
  return {
    engine: await openDocker({ socketPath: node.socket, networkPool: "10.201.0.0/16" }),
    image: "skep-test/box",
    unknownImage: "skep-test/nothing",
    ports: [20_001, 20_002],
    within: promise => promise,
    resolvConf: id => docker(fleet, node.name, ["exec", id, "cat", "/etc/resolv.conf"]),
    removeOutside: async id => void (await docker(fleet, node.name, ["rm", "-f", id])),
    close: () => downFleet("agenttest"),
  };
});
