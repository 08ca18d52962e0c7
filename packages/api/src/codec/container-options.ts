import type { ContainerOptions, TmpfsMount } from "@skep/core/model/container-options.ts";
import type { ContainerSpec as ContainerSpecMessage } from "../gen/skep/v1/spec_pb.ts";
import { fromUint64, toUint64 } from "./number.ts";

type Options = ContainerOptions & { readonly tmpfs: readonly TmpfsMount[] };

/** What a container asks of the engine and the kernel besides, as fields of its message. */
export function optionsToProto(options: Options) {
  const { tmpfs, init, hostname, domainname, shmBytes, ulimits, extraHosts, dropCapabilities, sysctls } = options;
  const { logging } = options;
  return {
    tmpfs: tmpfs.map(({ sizeBytes, exec, ...mount }) => ({
      ...mount,
      ...(sizeBytes === undefined ? {} : { sizeBytes: toUint64(sizeBytes) }),
      exec: exec ?? false,
    })),
    init: init ?? false,
    ...(hostname === undefined ? {} : { hostname }),
    ...(domainname === undefined ? {} : { domainname }),
    ...(shmBytes === undefined ? {} : { shmBytes: toUint64(shmBytes) }),
    // `-1` is a number of these fields as any other.
    ulimits: (ulimits ?? []).map(({ name, soft, hard }) => ({ name, soft: BigInt(soft), hard: BigInt(hard) })),
    extraHosts: (extraHosts ?? []).map(host => ({ ...host })),
    dropCapabilities: [...(dropCapabilities ?? [])],
    sysctls: { ...sysctls },
    ...(logging === undefined ? {} : { logging: { maxBytes: toUint64(logging.maxBytes), maxFiles: logging.maxFiles } }),
  };
}

/** The same fields of a message; what it does not say is absent. */
export function optionsFromProto(message: ContainerSpecMessage, path: string): Options {
  const { hostname, domainname, sysctls, logging } = message;
  return {
    tmpfs: message.tmpfs.map(({ target, sizeBytes, mode, uid, gid, exec }, at) => ({
      target,
      ...said({ sizeBytes: bytes(sizeBytes, `${path}.tmpfs[${at}].size_bytes`), mode, uid, gid }),
      ...said({ exec: exec || undefined }),
    })),
    ...said({
      init: message.init || undefined,
      hostname,
      domainname,
      shmBytes: bytes(message.shmBytes, `${path}.shm_bytes`),
      ulimits: some(message.ulimits, ({ name, soft, hard }, at) => ({
        name,
        soft: fromUint64(soft, `${path}.ulimits[${at}].soft`),
        hard: fromUint64(hard, `${path}.ulimits[${at}].hard`),
      })),
      extraHosts: some(message.extraHosts, ({ name, address }) => ({ name, address })),
      dropCapabilities: some(message.dropCapabilities, name => name),
      sysctls: Object.keys(sysctls).length === 0 ? undefined : { ...sysctls },
      logging: logging && {
        maxBytes: fromUint64(logging.maxBytes, `${path}.logging.max_bytes`),
        maxFiles: logging.maxFiles,
      },
    }),
  };
}

/** The fields that have a value: what is absent is no key, so that hashes stay as they are. */
function said<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** An empty list says nothing. */
function some<M, V>(list: readonly M[], read: (one: M, at: number) => V): readonly V[] | undefined {
  return list.length === 0 ? undefined : list.map(read);
}

function bytes(value: bigint | undefined, path: string): number | undefined {
  return value === undefined ? undefined : fromUint64(value, path);
}
