import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { prepareDataDir } from "./data-root.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "data-root-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function put(path: string, text = ""): void {
  const file = join(directory, "docker", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function has(path: string): boolean {
  return existsSync(join(directory, "docker", path));
}

describe("a node's data directory", () => {
  beforeEach(() => {
    put("swarm/state.json");
    put("containers/c1/config.v2.json");
    put("volumes/v1/_data/file");
    put("image/overlay2/repositories.json");
    put("image/overlay2/layerdb/mounts/c1/mount-id", "aaa");
    put("image/overlay2/layerdb/mounts/c1/init-id", "aaa-init");
    for (const [layer, link] of [
      ["aaa", "AAA"],
      ["aaa-init", "III"],
      ["bbb", "BBB"],
    ] as const) {
      put(`overlay2/${layer}/link`, link);
      put(`overlay2/l/${link}`);
    }
  });

  test("forgets swarm, containers and volumes when it is made fresh, with the containers' own layers", () => {
    prepareDataDir(directory, true);
    for (const gone of ["swarm", "containers", "volumes", "image/overlay2/layerdb/mounts/c1"])
      expect(has(gone)).toBe(false);
    expect(readdirSync(join(directory, "docker/overlay2")).sort()).toEqual(["bbb", "l"]);
    expect(readdirSync(join(directory, "docker/overlay2/l"))).toEqual(["BBB"]);
    expect(has("image/overlay2/repositories.json")).toBe(true);
  });

  test("stays as it is when the node boots again", () => {
    prepareDataDir(directory, false);
    for (const kept of ["swarm/state.json", "containers/c1", "volumes/v1/_data/file", "overlay2/aaa"])
      expect(has(kept)).toBe(true);
  });

  test("is made where there is none", () => {
    prepareDataDir(join(directory, "new"), true);
    expect(existsSync(join(directory, "new/docker"))).toBe(true);
  });

  test("never removes what lies outside, whatever a broken record names", () => {
    put("image/overlay2/layerdb/mounts/c1/mount-id", "../../outside");
    mkdirSync(join(directory, "outside"));
    prepareDataDir(directory, true);
    expect(existsSync(join(directory, "outside"))).toBe(true);
  });
});
