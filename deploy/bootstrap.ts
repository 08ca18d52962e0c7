import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { configVersion } from "./bootstrap/config-version.ts";
import { waitForStack } from "./bootstrap/convergence.ts";
import { layoutOf } from "./bootstrap/layout.ts";
import { managerAt, swarmId, type Manager } from "./bootstrap/manager.ts";
import { ensureNodeLabels } from "./bootstrap/node-labels.ts";
import { ensureSecrets, openSecretPlace } from "./bootstrap/secrets.ts";
import { ensureWorkspaceSecrets } from "./bootstrap/workspace-secrets.ts";
import { imageVariable } from "./images/names.ts";

/** What {@link bootstrapStack} needs. */
export interface BootstrapOptions {
  /** Socket of a manager's engine. */
  readonly socket: string;
  /**
   * References by image name (`scheduler`, `postgres`, ...), handed to the stack file as
   * `SKEP_<NAME>_IMAGE`.
   */
  readonly images: Readonly<Record<string, string>>;
  /** Path of `stack/skep.yml`; its config files stand beside it. */
  readonly stackFile: string;
  /** Whether `workspaces.yml` beside it is laid over it: IoT workspaces and their engines. */
  readonly hasWorkspaces?: boolean;
  /** Stack files of the operator's own, laid over it in this order. */
  readonly overlays?: readonly string[];
  readonly stackName: string;
  /** More variables of the stack file; they win over those that this function sets. No secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Where secrets are remembered; by default a directory of this Swarm in the user's configuration.
   */
  readonly secretsDir?: string;
  /** `never` where the images are on the engines only and in no registry. */
  readonly resolveImage?: "always" | "changed" | "never";
  /** How long the services may take until all are healthy; 10 minutes by default. */
  readonly timeoutMs?: number;
  /**
   * Told of each finished step and how long it took, and of progress while the services start (`ms`
   * is then 0).
   */
  readonly onStep?: (text: string, ms: number) => void;
}

/** Where the person stands after {@link bootstrapStack}. */
export interface BootstrapResult {
  readonly apiToken: string;
  /** Holds `api-token` and the passwords, readable by this user only. */
  readonly secretsDir: string;
  /** Where schedulers and tenants run on this Swarm, a sentence for each. */
  readonly chosen: readonly string[];
}

/**
 * Does what an operator would do by hand on a manager: secrets, node labels, `docker stack deploy`,
 * and waiting until every service is healthy. What is done already stays as it is, so it can be run
 * again at any time, also to deploy new images.
 * @throws Error that says what is missing, or which service did not start and why.
 */
export async function bootstrapStack(options: BootstrapOptions): Promise<BootstrapResult> {
  const manager = managerAt(options.socket);
  const step = timedStep(options.onStep);
  const swarm = await swarmId(manager);
  const secretsDir = options.secretsDir ?? join(homedir(), ".config", "skep", `${options.stackName}-${swarm}`);
  const secrets = await step("secrets", async () => {
    const place = await openSecretPlace(manager, secretsDir);
    if (options.hasWorkspaces === true) await ensureWorkspaceSecrets(place);
    return ensureSecrets(place);
  });
  await step("node labels", () => ensureNodeLabels(manager));
  const layout = await layoutOf(manager, options.stackName, { ...process.env, ...options.env });
  for (const sentence of layout.sentences) options.onStep?.(sentence, 0);
  await step("docker stack deploy", () => deploy(manager, options, { ...layout.env, ...secrets.env }));
  await step("all services healthy", () =>
    waitForStack(manager, options.stackName, options.timeoutMs ?? 600_000, text => options.onStep?.(text, 0)),
  );
  return { apiToken: secrets.apiToken, secretsDir, chosen: layout.sentences };
}

async function deploy(
  manager: Manager,
  options: BootstrapOptions,
  chosen: Readonly<Record<string, string>>,
): Promise<void> {
  const images = Object.entries(options.images).map(([name, reference]) => [imageVariable(name), reference]);
  const workspaces = options.hasWorkspaces === true ? [join(dirname(options.stackFile), "workspaces.yml")] : [];
  const env = {
    SKEP_CONFIG_VERSION: await configVersion([options.stackFile, ...workspaces]),
    ...Object.fromEntries(images),
    ...chosen,
    ...options.env,
  };
  const resolveImage = options.resolveImage ?? "always";
  const files = [options.stackFile, ...workspaces, ...(options.overlays ?? [])];
  await manager.docker(
    [
      "stack",
      "deploy",
      ...files.flatMap(file => ["--compose-file", file]),
      "--resolve-image",
      resolveImage,
      "--with-registry-auth",
      options.stackName,
    ],
    { env },
  );
}

function timedStep(onStep: BootstrapOptions["onStep"]): <T>(text: string, work: () => Promise<T>) => Promise<T> {
  return async (text, work) => {
    const startedAt = performance.now();
    const result = await work();
    onStep?.(text, performance.now() - startedAt);
    return result;
  };
}
