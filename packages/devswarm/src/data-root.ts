import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

// What an engine remembers of a former life. Image layers (image/, overlay2/) and the build cache
// stay.
const remembered = ["swarm", "containers", "network", "volumes", "containerd", "plugins", "runtimes", "tmp", "trust"];

/**
 * Makes a node's data directory ready to boot. `isFresh` makes the engine forget its swarm,
 * containers, networks and volumes and the node its own files, while the layers of its images stay,
 * so that nothing has to be pulled again. No engine may be using it.
 */
export function prepareDataDir(dataDir: string, isFresh: boolean): void {
  const dataRoot = join(dataDir, "docker");
  if (isFresh) {
    removeContainerLayers(dataRoot);
    for (const part of remembered) rmSync(join(dataRoot, part), { recursive: true, force: true });
    rmSync(join(dataDir, "disk"), { recursive: true, force: true });
  }
  mkdirSync(dataRoot, { recursive: true });
  for (const part of ["etc", "etc-work", "var-lib", "var-lib-work"])
    mkdirSync(join(dataDir, "disk", part), { recursive: true });
}

// Each container has two layers of its own, named in image/overlay2/layerdb/mounts/<container>/;
// without the container nobody would ever remove them, because the engine only counts layers of the
// containers it knows.
function removeContainerLayers(dataRoot: string): void {
  const mounts = join(dataRoot, "image", "overlay2", "layerdb", "mounts");
  if (!existsSync(mounts)) return;
  for (const container of readdirSync(mounts)) {
    for (const file of ["mount-id", "init-id"]) removeLayer(dataRoot, readOr(join(mounts, container, file)));
    rmSync(join(mounts, container), { recursive: true, force: true });
  }
}

function removeLayer(dataRoot: string, id: string): void {
  if (!/^[0-9a-z-]+$/.test(id)) return;
  const layer = join(dataRoot, "overlay2", id);
  const shortName = readOr(join(layer, "link"));
  if (/^[0-9A-Z]+$/.test(shortName)) rmSync(join(dataRoot, "overlay2", "l", shortName), { force: true });
  rmSync(layer, { recursive: true, force: true });
}

function readOr(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
}
