import { existsSync, readFileSync, readdirSync } from "node:fs";

const engineProcesses = /^(dockerd|containerd|containerd-shim.*|runc|docker-proxy|docker-registry|unshare)$/;

/**
 * Everything on this machine that a fleet could have left behind, as lines of text: namespaces,
 * mounts, links, cgroups, engine processes, entries of /run. What belongs to fleets whose names are
 * not in `fleets` is left out, because others may be starting and stopping them meanwhile.
 */
export function tracesOf(fleets: readonly string[]): readonly string[] {
  const foreign = new RegExp(`sk-(?!(${fleets.join("|")})-)|skep/(?!${fleets.join("|")})`);
  const links = list("/sys/class/net");
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const cgroups = mounts.filter(line => / cgroup2? /.test(line)).map(line => line.split(" ")[1] ?? "");
  const found = [
    ...list("/run/netns").map(name => `namespace ${name}`),
    ...mounts.map(line => `mount ${line}`),
    ...links.map(name => `link ${name}`),
    ...cgroups.flatMap(tree =>
      list(tree)
        .filter(name => name.startsWith("sk-"))
        .map(name => `cgroup ${tree}/${name}`),
    ),
    ...engineLines().map(line => `process ${line}`),
    ...["/run", "/run/skep"].flatMap(directory => list(directory).map(name => `file ${directory}/${name}`)),
  ];
  // These come and go with fleets of any name.
  const shared =
    /^(file \/run\/(skep|netns)$|mount \S+ \/run\/netns )|\/run\/skep\/(made-netns|subnets\.lock|install\.lock)/;
  return found.filter(line => !foreign.test(line) && !shared.test(line)).sort();
}

function engineLines(): readonly string[] {
  return list("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
        const cgroup = /:(\/sk-\S*)/.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
        const isZombie = /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
        if (isZombie || (cgroup === undefined && !engineProcesses.test(name))) return [];
        return [`${name} in ${cgroup ?? "no cgroup of ours"}`];
      } catch {
        return [];
      }
    });
}

function list(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
