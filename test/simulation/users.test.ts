import { expect, test } from "vitest";
import { aNode, aVolume } from "@skep/core/testing/builders.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import { createPlatform } from "./platform.ts";
import { giveUpVolumes } from "./users.ts";
import { setWeather } from "./weather.ts";

test("A person gives up what a lost node has, and what is made there after", async () => {
  const platform = createPlatform(1);
  setWeather(platform);
  const { nodes, volumes } = platform.database.records;
  nodes.set("node-1", { node: aNode({ id: "node-1", liveness: "down" }) } as never);
  const isGivenUp = async (serial: number): Promise<boolean> => {
    const volume = aVolume({ serial, nodeId: "node-1", state: "kept" });
    volumes.set(volumeKey(volume), volume);
    await platform.clock.advance(5_000);
    return volumes.get(volumeKey(volume))?.state === "removing";
  };
  void giveUpVolumes(platform, new Set(["node-1"]));
  expect(await isGivenUp(1)).toBe(true);
  expect(await isGivenUp(2)).toBe(true);
});
