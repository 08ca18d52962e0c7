import type { Verdict } from "./section.ts";

const HOST = "Tenants share nodes, so nothing of the node itself may be reached";

/**
 * Keys of a service that are legal Compose and refused here, each with the reason and the way out.
 */
export const REFUSED_IN_SERVICE: Readonly<Record<string, Verdict>> = {
  privileged: {
    problem: "a privileged container could take over its node",
    advice: "Remove it; no container runs privileged",
  },
  cap_add: {
    problem: "added capabilities weaken the wall between tenants",
    advice: "Remove it; containers run with Docker's default capabilities",
  },
  cap_drop: {
    problem: "dropping single capabilities is not supported",
    advice: "Remove it; no-new-privileges is always set",
  },
  devices: { problem: "devices of the node cannot be handed to a container", advice: `Remove it. ${HOST}` },
  device_cgroup_rules: { problem: "devices of the node cannot be handed to a container", advice: `Remove it. ${HOST}` },
  gpus: { problem: "devices of the node cannot be handed to a container", advice: `Remove it. ${HOST}` },
  security_opt: {
    problem: "security options are the agent's to set",
    advice: "Remove it; no-new-privileges is always set",
  },
  sysctls: { problem: "kernel parameters cannot be set by tenants", advice: `Remove it. ${HOST}` },
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
  build: { problem: "images are not built here", advice: "Build and push the image first, then name it with `image:`" },
  secrets: {
    problem: "secrets cannot be handed to containers yet",
    advice: "Remove it; pass the value under `environment` from a variable, like `KEY: ${KEY:?}`",
  },
  configs: {
    problem: "configs cannot be handed to containers yet",
    advice: "Remove it; put the file into the image or pass values under `environment`",
  },
  extends: {
    problem: "services of other files are not read",
    advice: "Write the service out, or share keys with an anchor: `<<: *defaults`",
  },
  volumes_from: {
    problem: "volumes of other services cannot be taken over",
    advice: "Name the volume in both containers of one pod",
  },
  links: {
    problem: "links between containers are not supported",
    advice: 'Join the pod with `network_mode: "service:x"`, or use a route',
  },
  external_links: {
    problem: "links between containers are not supported",
    advice: 'Join the pod with `network_mode: "service:x"`, or use a route',
  },
  extra_hosts: { problem: "host entries cannot be added", advice: "Use a name that resolves through DNS" },
  dns: { problem: "the resolver is the node's to choose", advice: "Remove it" },
  dns_opt: { problem: "the resolver is the node's to choose", advice: "Remove it" },
  dns_search: { problem: "the resolver is the node's to choose", advice: "Remove it" },
  runtime: { problem: "the runtime is the node's to choose", advice: "Remove it" },
  platform: {
    problem: "a platform is chosen by a constraint",
    advice: 'Write deploy.placement.constraints: ["node.platform.arch == x86_64"]',
  },
  ulimits: { problem: "ulimits cannot be set by tenants", advice: "Remove it; set limits under deploy.resources" },
  shm_size: { problem: "the size of /dev/shm cannot be set", advice: "Remove it; it has 64 MiB" },
  group_add: { problem: "groups cannot be added to a container", advice: "Set the group with `user: uid:gid`" },
  oom_kill_disable: {
    problem: "the memory limit is always enforced",
    advice: "Remove it; raise deploy.resources.limits.memory",
  },
  provider: { problem: "provider services are not supported", advice: "Remove the service" },
  models: { problem: "models are not supported", advice: "Remove it" },
  post_start: { problem: "hooks are not supported", advice: "Do it in the image's entrypoint" },
  pre_stop: { problem: "hooks are not supported", advice: "Handle the stop signal in the program" },
};

const NETWORK = "Containers of one pod reach each other on localhost; other services are reached through their routes";

/** Keys of a service that are legal Compose and change nothing here. */
export const IGNORED_IN_SERVICE: Readonly<Record<string, Verdict>> = {
  depends_on: {
    problem: "`depends_on` has no effect",
    advice: "Services start in any order; let programs retry what is not there yet",
  },
  networks: { problem: "`networks` has no effect", advice: NETWORK },
  container_name: {
    problem: "`container_name` has no effect",
    advice: "Containers are named after tenant, service and instance",
  },
  hostname: { problem: "`hostname` has no effect", advice: "The agent names each instance" },
  domainname: { problem: "`domainname` has no effect", advice: "The agent names each instance" },
  logging: { problem: "`logging` has no effect", advice: "Read logs with `skep logs`" },
  init: {
    problem: "`init` has no effect",
    advice: "Put an init into the image where the program does not reap its children",
  },
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
  include: { problem: "other files are not included", advice: "Write their services into this file" },
  models: { problem: "models are not supported", advice: "Remove it" },
};

/** Keys of the whole file without effect. */
export const IGNORED_AT_TOP: Readonly<Record<string, Verdict>> = {
  version: { problem: "`version` has no effect", advice: "The Compose specification no longer uses it" },
  name: {
    problem: "`name` has no effect",
    advice: "Deployments are named after their services, within the tenant of `--tenant`",
  },
  networks: { problem: "`networks` has no effect", advice: NETWORK },
};
