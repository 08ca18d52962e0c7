import { isOrdered, isUlimit, ULIMITS } from "@skep/core/model/container-options.ts";
import type { ExtraHost, Ulimit } from "@skep/core/model/container-options.ts";
import type { Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { describe, either, isZero, readBytes, readInteger, readPairs, readText } from "./values.ts";

/** `shm_size`; 0 is Docker's word for its default. */
export function readShmSize(spot: Spot, problems: Problems): number | undefined {
  return isZero(spot) ? undefined : readBytes(spot, problems);
}

/** `ulimits`: one number for both limits, or `soft` and `hard`. */
export function readUlimits(spot: Spot, problems: Problems): readonly Ulimit[] | undefined {
  if (spot.kind !== "map")
    return problems.refuse(spot, `${describe(spot)} stands where limits belong`, "Write `nofile: 65535`");
  const read = [...spot.entries.values()].flatMap(({ key, value, ...place }) => {
    if (!Object.hasOwn(ULIMITS, key))
      return problems.refuse(place, `the limit \`${key}\` cannot be set`, `Use ${either(Object.keys(ULIMITS))}`) ?? [];
    return readUlimit(key, value, problems) ?? [];
  });
  return read.length === 0 ? undefined : read;
}

function readUlimit(name: string, spot: Spot, problems: Problems): Ulimit | undefined {
  const { least, most, isEndless } = ULIMITS[name]!;
  const one = (value: Spot): number | undefined => {
    const found = readInteger(value, problems, { least: isEndless ? -1 : least, most });
    return found === undefined || isUlimit(name, found) ? found : undefined;
  };
  let soft: number | undefined;
  let hard: number | undefined;
  if (spot.kind === "map") {
    const keys = { soft: (value: Spot) => (soft = one(value)), hard: (value: Spot) => (hard = one(value)) };
    readSection(spot, { name: "a limit", keys }, problems);
    for (const key of ["soft", "hard"])
      if (!spot.entries.has(key)) problems.refuse(spot, `the limit has no \`${key}\``, "Write both, soft and hard");
  } else soft = hard = one(spot);
  if (soft === undefined || hard === undefined) return undefined;
  if (isOrdered({ name, soft, hard })) return { name, soft, hard };
  return problems.refuse(spot, `the soft limit ${soft} is above the hard one`, "Raise the hard one");
}

/** `extra_hosts`: `name=address` or `name:address`, or a mapping. Core says what they may be. */
export function readExtraHosts(spot: Spot, problems: Problems): readonly ExtraHost[] | undefined {
  const read = spot.kind === "map" ? mappedHosts(spot, problems) : listedHosts(spot, problems);
  return read.length === 0 ? undefined : read;
}

function mappedHosts(spot: Extract<Spot, { kind: "map" }>, problems: Problems): readonly ExtraHost[] {
  return [...spot.entries.values()].flatMap(({ key, value }) => {
    const addresses = value.kind === "list" ? value.items : [value];
    return addresses.flatMap(item => {
      const address = readText(item, problems);
      return address === undefined ? [] : [{ name: key, address: withoutBrackets(address) }];
    });
  });
}

function listedHosts(spot: Spot, problems: Problems): readonly ExtraHost[] {
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => {
    const [, name, address] = /^([^=:]+)[=:](.+)$/.exec(readText(item, problems) ?? "") ?? [];
    if (name !== undefined && address !== undefined) return [{ name, address: withoutBrackets(address) }];
    problems.refuse(item, `${describe(item)} gives no address to a name`, "Write `name=192.0.2.7`");
    return [];
  });
}

function withoutBrackets(address: string): string {
  return address.replace(/^\[(.*)\]$/, "$1");
}

/** `sysctls`: what may be set is core's rule. */
export function readSysctls(spot: Spot, problems: Problems): Readonly<Record<string, string>> | undefined {
  const read = [...readPairs(spot, problems)].flatMap(([name, { value, spot: place }]) => {
    if (value !== undefined) return [[name, value.trim()] as const];
    problems.refuse(place, `the kernel parameter \`${name}\` has no value`, `Write \`${name}: 1\``);
    return [];
  });
  return read.length === 0 ? undefined : Object.fromEntries(read);
}

/** Names of Docker for what nodes say of themselves. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  ...{ amd64: "amd64", x86_64: "amd64", arm64: "arm64", "arm64/v8": "arm64", aarch64: "arm64", "386": "i686" },
  ...{ "arm/v7": "armv7l", "arm/v6": "armv6l", arm: "armv7l", ppc64le: "ppc64le", s390x: "s390x", riscv64: "riscv64" },
};

/** `platform`, as constraints that say which nodes it means. */
export function readPlatform(spot: Spot, problems: Problems): readonly string[] {
  const text = readText(spot, problems)?.toLowerCase();
  if (text === undefined) return [];
  const [os = "", ...rest] = text.split("/");
  const isArchitecture = rest.length === 0 && Object.hasOwn(ARCHITECTURES, os);
  const wanted = isArchitecture ? os : rest.join("/");
  const architecture = Object.hasOwn(ARCHITECTURES, wanted) ? ARCHITECTURES[wanted] : undefined;
  const isLinux = isArchitecture || os === "linux";
  if (isLinux && (architecture !== undefined || wanted === ""))
    return [
      "node.platform.os == linux",
      ...(architecture === undefined ? [] : [`node.platform.arch == ${architecture}`]),
    ];
  problems.refuse(spot, `no node has the platform \`${text}\``, "Write linux/amd64, linux/arm64 or another of Linux");
  return [];
}
