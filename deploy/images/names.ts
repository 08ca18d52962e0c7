/** An image of the stack or of its samples. */
export type ImageName =
  | "scheduler"
  | "agent"
  | "pause"
  | "nats"
  | "postgres"
  | "traefik"
  | "go-httpbin"
  | "nginx"
  | "busybox"
  | "workspace"
  | "mosquitto"
  | "mongo"
  | "redis"
  | "versitygw";

/**
 * Images that others publish, and the reference that is used unchanged where an image registry is
 * reached.
 */
export const officialImages = {
  nats: "nats:2.12-alpine",
  postgres: "postgres:17-alpine",
  traefik: "traefik:v3.7",
  "go-httpbin": "mccutchen/go-httpbin:2.18.3",
  nginx: "nginx:1.28-alpine",
  busybox: "busybox:1.37",
  mosquitto: "eclipse-mosquitto:2.0",
  mongo: "mongo:6.0",
  redis: "redis:7.2-alpine",
  versitygw: "versity/versitygw:v1.8.0",
} as const satisfies Partial<Record<ImageName, string>>;

/** An image that is ours to build wherever we run. */
export type OwnImageName = Exclude<ImageName, keyof typeof officialImages>;

/** The Node image that ours stand on where an image registry is reached. */
export const officialNodeImage = "node:24-slim";

/** The engines of workspaces, which `stack/workspaces.yml` names; what takes longest first. */
export const workspaceEngines = ["versitygw", "mongo", "mosquitto", "redis"] as const satisfies readonly ImageName[];

/**
 * Every image of the stack without workspaces and of its samples, in the order in which they are
 * published: what takes longest to build begins first.
 */
export const imageNames: readonly ImageName[] = [
  "traefik",
  "postgres",
  "nats",
  "scheduler",
  "agent",
  "pause",
  "go-httpbin",
  "nginx",
  "busybox",
];

/** The variable of the stack file that names this image. */
export function imageVariable(name: string): string {
  return `SKEP_${name.toUpperCase().replaceAll("-", "_")}_IMAGE`;
}

/** Whether others publish this image. */
export function isOfficial(name: ImageName): name is keyof typeof officialImages {
  return name in officialImages;
}
