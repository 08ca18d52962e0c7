import { getOption, hasOption } from "@bufbuild/protobuf";
import type { DescField } from "@bufbuild/protobuf";
import { BOUNDS, LONGEST, MOST } from "@skep/core/model/bounds.ts";
import { describe, expect, it } from "vitest";
import { field as fieldRules } from "../gen/buf/validate/validate_pb.ts";
import type { FieldRules } from "../gen/buf/validate/validate_pb.ts";
import { file_skep_v1_spec } from "../gen/skep/v1/spec_pb.ts";

/** Names of `bounds.ts` for the numeric fields of spec.proto. */
const NUMBERS: Readonly<Record<string, keyof typeof BOUNDS>> = {
  "DeploymentSpec.replicas": "replicas",
  "DeploymentSpec.stop_grace_ms": "stopGraceMs",
  "PortSpec.container_port": "port",
  "PortSpec.host_port": "port",
  "Resources.cpu_millis": "cpuMillis",
  "Resources.memory_bytes": "memoryBytes",
  "Resources.pids": "pids",
  "Resources.reserve_cpu_millis": "cpuMillis",
  "Resources.reserve_memory_bytes": "memoryBytes",
  "ContainerSpec.shm_bytes": "tmpfsBytes",
  "TmpfsMount.size_bytes": "tmpfsBytes",
  "TmpfsMount.mode": "fileMode",
  "TmpfsMount.uid": "userId",
  "TmpfsMount.gid": "userId",
  "Logging.max_bytes": "logFileBytes",
  "Logging.max_files": "logFiles",
  "HealthCheck.interval_ms": "checkIntervalMs",
  "HealthCheck.timeout_ms": "checkTimeoutMs",
  "HealthCheck.retries": "checkRetries",
  "HealthCheck.start_period_ms": "checkStartPeriodMs",
  "HttpProbe.port": "port",
  "TcpProbe.port": "port",
  "PlacementSpec.max_per_node": "maxPerNode",
  "JobPolicy.max_concurrent": "maxConcurrent",
  "RestartPolicy.delay_ms": "restartDelayMs",
  "RestartPolicy.max_delay_ms": "restartMaxDelayMs",
  "RestartPolicy.max_attempts": "maxAttempts",
  "RestartPolicy.window_ms": "restartWindowMs",
  "UpdatePolicy.parallelism": "parallelism",
};

/** The most entries of its lists and mappings. */
const COUNTS: Readonly<Record<string, number>> = {
  "DeploymentSpec.containers": BOUNDS.containers.most,
  "DeploymentSpec.networks": MOST.networks,
  "NetworkMembership.aliases": MOST.aliases,
  "ContainerSpec.entrypoint": MOST.words,
  "ContainerSpec.command": MOST.words,
  "ContainerSpec.env": MOST.env,
  "ContainerSpec.labels": MOST.labels,
  "ContainerSpec.ports": MOST.ports,
  "ContainerSpec.volumes": MOST.volumes,
  "ContainerSpec.tmpfs": MOST.tmpfs,
  "ContainerSpec.ulimits": MOST.ulimits,
  "ContainerSpec.extra_hosts": MOST.extraHosts,
  "ContainerSpec.drop_capabilities": MOST.capabilities,
  "ContainerSpec.sysctls": MOST.sysctls,
  "DockerProbe.test": MOST.words,
  "PlacementSpec.constraints": MOST.rules,
  "PlacementSpec.anti_affinity": MOST.rules,
  "DeploymentSpec.depends_on": MOST.rules,
};

/** The longest of its texts. */
const LENGTHS: Readonly<Record<string, number>> = {
  "Source.repository": LONGEST.repository,
  "Source.branch": LONGEST.branch,
  "NetworkMembership.aliases[]": LONGEST.alias,
  "ContainerSpec.entrypoint[]": LONGEST.word,
  "ContainerSpec.command[]": LONGEST.word,
  "ContainerSpec.env{}": LONGEST.env,
  "ContainerSpec.env.key": LONGEST.envKey,
  "ContainerSpec.labels{}": LONGEST.label,
  "ContainerSpec.labels.key": LONGEST.labelKey,
  "ContainerSpec.working_dir": LONGEST.workingDir,
  "ContainerSpec.user": LONGEST.user,
  "ContainerSpec.hostname": LONGEST.hostname,
  "ContainerSpec.domainname": LONGEST.hostname,
  "ExtraHost.name": LONGEST.hostname,
  "HttpProbe.path": LONGEST.probePath,
  "PlacementSpec.constraints[]": LONGEST.constraint,
};
/** Paths, an address and names, whose own rules say how long they are. */
const ELSEWHERE = new Set([
  ...["TmpfsMount.target", "ExtraHost.address", "PlacementSpec.anti_affinity[]", "Dependency.name"],
]);

const FIELDS = file_skep_v1_spec.messages.flatMap(message =>
  message.fields.map((field): readonly [string, DescField] => [`${message.name}.${field.name}`, field]),
);

function rulesOf(field: DescField): FieldRules["type"] {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules).type : { case: undefined };
}

describe("the bounds of core", () => {
  it("are the numbers of spec.proto", () => {
    const numbers = FIELDS.flatMap(([name, field]) => {
      const rules = rulesOf(field);
      if (rules.case !== "uint32" && rules.case !== "uint64") return [];
      const { lessThan, greaterThan } = rules.value;
      return [{ name, most: numberOf(lessThan, "lte"), least: numberOf(greaterThan, "gte") }];
    });
    expect(numbers.map(({ name }) => name).sort()).toEqual(Object.keys(NUMBERS).sort());
    for (const { name, most, least } of numbers) {
      const bounds = BOUNDS[NUMBERS[name] as keyof typeof BOUNDS];
      if (most !== undefined) expect([name, most]).toEqual([name, bounds.most]);
      if (least !== undefined) expect([name, least]).toEqual([name, bounds.least]);
    }
  });

  it("are its counts", () => {
    const counts = FIELDS.flatMap(([name, field]): [string, number][] => {
      const rules = rulesOf(field);
      if (rules.case === "repeated") return [[name, Number(rules.value.maxItems)]];
      return rules.case === "map" ? [[name, Number(rules.value.maxPairs)]] : [];
    });
    expect(Object.fromEntries(counts)).toEqual(COUNTS);
  });

  it("are its lengths", () => {
    const lengths = FIELDS.flatMap(([name, field]): [string, number][] => {
      const rules = rulesOf(field);
      if (rules.case === "repeated") return lengthOf(`${name}[]`, rules.value.items);
      if (rules.case === "map")
        return [...lengthOf(`${name}.key`, rules.value.keys), ...lengthOf(`${name}{}`, rules.value.values)];
      return hasOption(field, fieldRules) ? lengthOf(name, getOption(field, fieldRules)) : [];
    });
    expect(Object.fromEntries(lengths.filter(([name]) => !ELSEWHERE.has(name)))).toEqual(LENGTHS);
  });
});

function numberOf(
  bound: { readonly case: string | undefined; readonly value?: number | bigint | undefined },
  is: string,
) {
  return bound.case === is ? Number(bound.value) : undefined;
}

function lengthOf(name: string, rules: FieldRules | undefined): [string, number][] {
  const type = rules?.type;
  return type?.case === "string" && type.value.maxLen > 0n ? [[name, Number(type.value.maxLen)]] : [];
}
