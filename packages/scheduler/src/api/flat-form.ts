import { parseImage } from "@skep/core/model/image.ts";
import type { CreateDeploymentRequest } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { DEFAULT_PLACEMENT, DEFAULT_RESTART, DEFAULT_STOP_GRACE_MS } from "@skep/api/codec/spec-defaults.ts";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";

/**
 * The flat form of a create request (`project_id`, `image`, `env_vars`, ...) as a spec of one
 * container.
 * @throws SkepError `invalid_argument` where it names no image, or none that a name can be made of.
 */
export function specFromFlatForm(request: CreateDeploymentRequest, limits: Limits): DeploymentSpec {
  if (request.image === "")
    throw new SkepError(
      "invalid_argument",
      "IMAGE_MISSING",
      request.gitRepo === ""
        ? "The deployment has no image: send `image`, or `spec` with its containers."
        : "Images are not built from a repository: build and push one, then send its name as `image`; `git_repo` is only recorded.",
    );
  const name = request.name === "" ? nameOf(request.image) : request.name;
  const port = request.port === 0 ? (request.domain === "" ? undefined : 80) : request.port;
  return {
    name,
    replicas: request.replicas ?? 1,
    containers: [
      {
        name: "app",
        image: request.image,
        entrypoint: undefined,
        command: undefined,
        env: { ...request.envVars },
        labels: request.domain === "" ? {} : routeLabels(name, request.domain.toLowerCase(), port ?? 80),
        workingDir: undefined,
        user: undefined,
        readOnly: false,
        stopSignal: undefined,
        ports: port === undefined ? [] : [{ containerPort: port, protocol: "tcp", hostPort: undefined }],
        volumes: [],
        tmpfs: [],
        resources: { ...DEFAULT_RESOURCES, ...limits },
        health: undefined,
      },
    ],
    placement: DEFAULT_PLACEMENT,
    restart: DEFAULT_RESTART,
    update: { order: "start-first", parallelism: 1 },
    stopGraceMs: DEFAULT_STOP_GRACE_MS,
    exclusive: undefined,
    project: undefined,
    service: undefined,
    source: request.gitRepo === "" ? undefined : { repository: request.gitRepo, branch: request.branch },
    dependsOn: [],
    mode: "replicated",
    job: undefined,
  };
}

/** `registry.example/team/My_App:1.2` is called `my-app`. */
function nameOf(image: string): string {
  const { repository } = parseImage(image);
  return repository
    .slice(repository.lastIndexOf("/") + 1)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
}

/** What a person would write in Traefik's labels for one domain, by HTTP and by HTTPS. */
function routeLabels(name: string, domain: string, port: number): Readonly<Record<string, string>> {
  const rule = `Host(\`${domain}\`)`;
  return {
    "traefik.enable": "true",
    [`traefik.http.routers.${name}.rule`]: rule,
    [`traefik.http.routers.${name}.entrypoints`]: "web",
    [`traefik.http.routers.${name}-tls.rule`]: rule,
    [`traefik.http.routers.${name}-tls.entrypoints`]: "websecure",
    [`traefik.http.routers.${name}-tls.tls`]: "true",
    [`traefik.http.services.${name}.loadbalancer.server.port`]: String(port),
  };
}
