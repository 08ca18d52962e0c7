import type { Verdict } from "./section.ts";

const CORES: Verdict = { problem: "the share of a core is given as an amount", advice: "Write `cpus: 0.5`" };
const HOST = "Tenants share nodes, so nothing of the node itself may be reached";

/**
 * Keys of a service that are legal Compose and refused here, each with the reason and the way out.
 */
export const REFUSED_IN_SERVICE: Readonly<Record<string, Verdict>> = {
  privileged: {
    problem: "a privileged container could take over its node",
    advice: "Remove it; no container runs privileged",
  },
  devices: { problem: "devices of the node cannot be handed to a container", advice: `Remove it. ${HOST}` },
  device_cgroup_rules: { problem: "devices of the node cannot be handed to a container", advice: `Remove it. ${HOST}` },
  gpus: { problem: "devices of the node cannot be handed to a container", advice: `Remove it. ${HOST}` },
  userns_mode: { problem: "the user namespace is the node's to choose", advice: `Remove it. ${HOST}` },
  pid: {
    problem: "a container cannot share a process space",
    advice: "Remove it; containers of a pod share only their network",
  },
  ipc: {
    problem: "a container cannot share an IPC space",
    advice: "Remove it; containers of a pod share only their network",
  },
  uts: { problem: "a container cannot use the node's own host name", advice: `Remove it. ${HOST}` },
  cgroup: { problem: "a container cannot use the node's cgroup space", advice: `Remove it. ${HOST}` },
  cgroup_parent: {
    problem: "the cgroup is the agent's to choose",
    advice: "Remove it; set limits under deploy.resources",
  },
  secrets: {
    problem: "secrets cannot be handed to containers yet",
    advice: "Remove it; pass the value under `environment` from a variable, like `KEY: ${KEY:?}`",
  },
  configs: {
    problem: "configs cannot be handed to containers yet",
    advice: "Remove it; put the file into the image or pass values under `environment`",
  },
  volumes_from: {
    problem: "volumes of other services cannot be taken over",
    advice: "Name the volume in both services: they run on one node then",
  },
  external_links: {
    problem: "links between containers are not supported",
    advice: 'Join the pod with `network_mode: "service:x"`, or use a route',
  },
  dns: { problem: "the resolver is the node's to choose", advice: "Remove it" },
  dns_opt: { problem: "the resolver is the node's to choose", advice: "Remove it" },
  dns_search: { problem: "the resolver is the node's to choose", advice: "Remove it" },
  runtime: { problem: "the runtime is the node's to choose", advice: "Remove it" },
  group_add: { problem: "groups cannot be added to a container", advice: "Set the group with `user: uid:gid`" },
  cpu_count: CORES,
  cpu_percent: CORES,
  cpu_period: CORES,
  cpu_quota: CORES,
  cpu_rt_period: CORES,
  cpu_rt_runtime: CORES,
  cpuset: { problem: "the cores are the node's to choose", advice: "Write `cpus: 0.5` for an amount" },
  blkio_config: { problem: "the disk's shares cannot be set", advice: "Remove it" },
  storage_opt: { problem: "the storage is the node's to choose", advice: "Remove it" },
  oom_score_adj: { problem: "which program goes first is the node's to choose", advice: "Remove it" },
  mac_address: { problem: "the address is the engine's to choose", advice: "Remove it" },
  isolation: { problem: "the isolation is the node's to choose", advice: "Remove it" },
  credential_spec: { problem: "credentials of the node cannot be used", advice: `Remove it. ${HOST}` },
  use_api_socket: { problem: "the Docker socket would hand over the node", advice: "Remove it" },
  oom_kill_disable: {
    problem: "the memory limit is always enforced",
    advice: "Remove it; raise deploy.resources.limits.memory",
  },
  provider: { problem: "provider services are not supported", advice: "Remove the service" },
  models: { problem: "models are not supported", advice: "Remove it" },
  post_start: { problem: "hooks are not supported", advice: "Do it in the image's entrypoint" },
  pre_stop: { problem: "hooks are not supported", advice: "Handle the stop signal in the program" },
};

/** What is said of networks until nodes make them. */
export const NETWORKS_LATER =
  "It is recorded; what a tenant runs on one node reaches each other, and nothing on another node by its name";

/** Keys of a service that are legal Compose and change nothing here. */
export const IGNORED_IN_SERVICE: Readonly<Record<string, Verdict>> = {
  container_name: {
    problem: "`container_name` has no effect",
    advice: "Containers are named after tenant, service and instance",
  },
  cpu_shares: { problem: "`cpu_shares` has no effect", advice: "Write `cpus: 0.5` for a limit" },
  memswap_limit: { problem: "`memswap_limit` has no effect", advice: "No container swaps; write `mem_limit`" },
  mem_swappiness: { problem: "`mem_swappiness` has no effect", advice: "No container swaps" },
  pull_refresh_after: { problem: "`pull_refresh_after` has no effect", advice: "Name another tag or a digest" },
  tty: { problem: "`tty` has no effect", advice: "Remove it" },
  stdin_open: { problem: "`stdin_open` has no effect", advice: "Remove it" },
  attach: { problem: "`attach` has no effect", advice: "Read logs with `skep logs`" },
  annotations: { problem: "`annotations` has no effect", advice: "Use labels" },
  develop: { problem: "`develop` has no effect", advice: "It belongs to local development" },
  pull_policy: { problem: "`pull_policy` has no effect", advice: "The agent pulls what its node does not have" },
};

/** Keys of the whole file. */
export const REFUSED_AT_TOP: Readonly<Record<string, Verdict>> = {
  secrets: {
    problem: "secrets cannot be handed to containers yet",
    advice: "Remove it; pass values under `environment` from variables, like `KEY: ${KEY:?}`",
  },
  configs: {
    problem: "configs cannot be handed to containers yet",
    advice: "Remove it; put the file into the image or pass values under `environment`",
  },
  models: { problem: "models are not supported", advice: "Remove it" },
};

/** Keys of the whole file without effect. */
export const IGNORED_AT_TOP: Readonly<Record<string, Verdict>> = {
  version: { problem: "`version` has no effect", advice: "The Compose specification no longer uses it" },
};
