/**
 * How a value of an earlier file and one of a later file become one. Without a rule mappings are
 * joined key by key, lists are appended, and anything else is replaced.
 */
export type MergeRule =
  /** The later one stands. */
  | { readonly by: "replace" }
  /** Keys and values, as a mapping or as a list of `key=value`. */
  | { readonly by: "pairs" }
  /** A list of names is a mapping of them; `each` is what a name alone stands for. */
  | { readonly by: "names"; readonly each?: Readonly<Record<string, string | boolean>> }
  /** A list whose items are told apart: an item of the later file takes the place of its like. */
  | { readonly by: "unique"; readonly like: "text" | "target" | "path" | "mount" }
  /** Joined where both use the same driver, replaced otherwise. */
  | { readonly by: "driver" }
  /** A text stands for a mapping with this key. */
  | { readonly by: "short"; readonly key: string };

const REPLACE: MergeRule = { by: "replace" };
const PAIRS: MergeRule = { by: "pairs" };
const TEXTS: MergeRule = { by: "unique", like: "text" };

/** Rules of a service's keys, dotted below the service. */
const SERVICE: Readonly<Record<string, MergeRule>> = {
  command: REPLACE,
  entrypoint: REPLACE,
  "healthcheck.test": REPLACE,
  environment: PAIRS,
  labels: PAIRS,
  "deploy.labels": PAIRS,
  annotations: PAIRS,
  sysctls: PAIRS,
  build: { by: "short", key: "context" },
  "build.args": PAIRS,
  "build.labels": PAIRS,
  "build.additional_contexts": PAIRS,
  extends: REPLACE,
  depends_on: { by: "names", each: { condition: "service_started", required: true } },
  networks: { by: "names" },
  models: { by: "names" },
  logging: { by: "driver" },
  env_file: { by: "unique", like: "path" },
  label_file: { by: "unique", like: "path" },
  volumes: { by: "unique", like: "target" },
  devices: { by: "unique", like: "target" },
  tmpfs: { by: "unique", like: "mount" },
  secrets: { by: "unique", like: "target" },
  configs: { by: "unique", like: "target" },
  ports: TEXTS,
  expose: TEXTS,
  profiles: TEXTS,
  cap_add: TEXTS,
  cap_drop: TEXTS,
  dns: TEXTS,
  dns_opt: TEXTS,
  dns_search: TEXTS,
  extra_hosts: TEXTS,
  links: TEXTS,
  external_links: TEXTS,
  group_add: TEXTS,
  security_opt: TEXTS,
};

/** The rule for the value that these keys lead to, from the top of the file. */
export function ruleOf(keys: readonly string[]): MergeRule | undefined {
  const [section, , ...rest] = keys;
  const name = rest.join(".");
  if (section === "services") {
    if (rest[0] === "ulimits" && rest.length === 2) return REPLACE;
    if (rest[0] === "networks" && rest[2] === "aliases") return TEXTS;
    return Object.hasOwn(SERVICE, name) ? SERVICE[name] : undefined;
  }
  if ((section === "volumes" || section === "networks") && name === "labels") return PAIRS;
  return undefined;
}
