import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bootstrapStack } from "../bootstrap.ts";
import { imageVariable, workspaceEngines, type ImageName } from "../images/names.ts";
import { publishImages } from "../images/publish.ts";
import { managerAt, swarmId } from "./manager.ts";

const USAGE = `npm run bootstrap -- --registry HOST[:PORT] [--socket PATH] [--overlay FILE]

Puts Skep on the Swarm that an engine manages, or updates it there: makes its images and pushes them to the registry, makes
secrets and node labels that are missing, deploys stack/skep.yml, and waits until every service is healthy.

  --registry HOST  the registry that all nodes pull from; log in to it first (docker login)
  --socket PATH    the manager's engine (default /var/run/docker.sock)
  --overlay FILE   a stack file of yours that is laid over stack/skep.yml; may be given several times
  --workspaces     bring IoT workspaces as well (stack/workspaces.yml): hosts, the gate of devices, and their engines; give
                   it with each update
  --all-images     bring images of NATS, PostgreSQL, Traefik and the engines to the registry too, for nodes that do not
                   reach Docker Hub
  --help           this text

The variables of stack/skep.yml (see stack/README.md) are taken from the environment. An image that is named there, such as
SKEP_SCHEDULER_IMAGE, is neither made nor pushed.
`;

const OWN_IMAGES: readonly ImageName[] = ["scheduler", "agent", "pause"];
/**
 * By wish only: which of them is had depends on what is reached, and a database must not change its
 * version by that.
 */
const OTHER_IMAGES: readonly ImageName[] = ["nats", "postgres", "traefik"];

const root = dirname(dirname(import.meta.dirname));

interface Options {
  readonly registry: string;
  readonly socket: string;
  readonly overlays: readonly string[];
  readonly allImages: boolean;
  readonly workspaces: boolean;
}

async function main({ registry, socket, overlays, allImages, workspaces }: Options): Promise<void> {
  const say = (text: string, ms: number): void =>
    void process.stderr.write(ms === 0 ? `${text}\n` : `${text} (${(ms / 1000).toFixed(1)} s)\n`);
  const manager = managerAt(socket);
  // Asked first: building for minutes is in vain where nothing can be deployed.
  await swarmId(manager);
  const own: readonly ImageName[] = workspaces ? [...OWN_IMAGES, "workspace"] : OWN_IMAGES;
  const engines = workspaces ? workspaceEngines : [];
  const wanted = allImages ? [...engines, ...own, ...OTHER_IMAGES] : own;
  const which = wanted.filter(name => !process.env[imageVariable(name)]);
  const { docker } = manager;
  const images = which.length === 0 ? {} : await publishImages({ docker, socket, registry, which, onStep: say });
  const stackFile = join(root, "stack", "skep.yml");
  const { secretsDir, chosen } = await bootstrapStack({
    socket,
    images,
    stackFile,
    overlays,
    hasWorkspaces: workspaces,
    stackName: "skep",
    onStep: say,
  });
  process.stdout.write(
    `Skep runs.\n${chosen.map(sentence => `${sentence}.\n`).join("")}The secrets' values are in ${secretsDir}: keep them, Docker never gives them back. To use it:\n` +
      `  export SKEP_URL=http://<node>:${process.env["SKEP_API_PUBLISHED_PORT"] || "7700"} SKEP_TOKEN_FILE=${join(secretsDir, "api-token")}\n` +
      "  npm run -s skep -- nodes\n",
  );
}

try {
  const { values } = parseArgs({
    options: {
      registry: { type: "string" },
      socket: { type: "string", default: "/var/run/docker.sock" },
      overlay: { type: "string", multiple: true, default: [] },
      "all-images": { type: "boolean", default: false },
      workspaces: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) process.stdout.write(USAGE);
  else if (values.registry === undefined || values.registry === "")
    throw new TypeError("--registry is missing: name a registry that every node reaches, registry.example.com:5000");
  else {
    // Named from where the command was typed.
    const overlays = values.overlay.map(file => resolve(process.env["INIT_CWD"] ?? "", file));
    await main({
      registry: values.registry,
      socket: values.socket,
      overlays,
      allImages: values["all-images"],
      workspaces: values.workspaces,
    });
  }
} catch (error) {
  const isUsage = error instanceof TypeError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${isUsage ? `\n${USAGE}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
