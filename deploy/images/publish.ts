import { readFile } from "node:fs/promises";
import { exists } from "../programs/cache.ts";
import { readEnvironment } from "../programs/environment.ts";
import { bundleService, type BundledService } from "./bundle.ts";
import { debianRootDir } from "./bases.ts";
import { buildImage, type Docker } from "./docker.ts";
import { engineHas, registryHas } from "./engine-api.ts";
import {
  hashOf,
  imageFile,
  nodeImage,
  onEngine,
  scratchDir,
  thirdPartyImage,
  type Makeable,
  type ThirdPartyName,
  type Workshop,
} from "./local-images.ts";
import {
  imageNames,
  isOfficial,
  officialImages,
  officialNodeImage,
  type ImageName,
  type OwnImageName,
} from "./names.ts";

/** How {@link publishImages} works. */
export interface PublishOptions {
  readonly docker: Docker;
  /** The same engine's socket. */
  readonly socket: string;
  /**
   * Host and port of the registry that every node pulls from; an empty string keeps the images on
   * this one engine.
   */
  readonly registry: string;
  /** All images when absent. */
  readonly which?: readonly ImageName[];
  /**
   * Told once per image that was made or pushed, and of long steps while they run (`ms` is then 0).
   */
  readonly onStep?: (text: string, ms: number) => void;
}

/** How long an image registry on the internet may take to show that it is there. */
const registryAnswersMs = 6_000;

/**
 * Sees to it that the registry has every image of the stack and returns their references. Per image
 * of others: the reference given in the environment (`SKEP_IMAGE_<NAME>`), the official image where
 * the engine reaches its registry, the official image that the engine has already, else made here.
 * Ours are always made here. Tags are hashes of what goes in; what the registry has already is
 * neither made nor pushed again, and the result holds the references that were asked for only.
 * @throws Error when something can neither be pulled nor made on this machine.
 */
export async function publishImages(options: PublishOptions): Promise<Readonly<Record<ImageName, string>>> {
  const environment = readEnvironment();
  const say = (text: string): void => options.onStep?.(text, 0);
  const workshop: Workshop = { docker: options.docker, socket: options.socket, environment, say };
  const run: Run = { options, workshop, pulls: await pullsOfficial(workshop), bundle: bundledOnce() };
  const references: Partial<Record<ImageName, string>> = {};
  const waiting = [...(options.which ?? imageNames)];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      references[name] =
        environment.givenImages[name] ?? (await (isOfficial(name) ? thirdParty(name, run) : own(name, run)));
    }
  };
  // Two at a time: one downloads or pushes while the other builds.
  await Promise.all([worker(), worker()]);
  return references as Record<ImageName, string>;
}

/** What the images of one call share. */
interface Run {
  readonly options: PublishOptions;
  readonly workshop: Workshop;
  /** Whether the engine reaches the registry of the official images. */
  readonly pulls: boolean;
  bundle(service: BundledService): Promise<Buffer>;
}

/**
 * Bundles a service once, so that what is hashed is what is built, also while a person edits its
 * sources.
 */
function bundledOnce(): (service: BundledService) => Promise<Buffer> {
  const made = new Map<BundledService, Promise<Buffer>>();
  return service => {
    const bundle = made.get(service) ?? bundleService(service);
    made.set(service, bundle);
    return bundle;
  };
}

/**
 * A machine that made a Debian root before did so because no registry answered; it is not asked to
 * wait again.
 */
async function pullsOfficial({ environment, socket }: Workshop): Promise<boolean> {
  if (await exists(debianRootDir(environment))) return false;
  return (await engineHas(socket, officialNodeImage)) || registryHas(socket, officialNodeImage, registryAnswersMs);
}

async function thirdParty(name: ThirdPartyName, { options, workshop, pulls }: Run): Promise<string> {
  const official = officialImages[name];
  if (pulls && (await registryHas(options.socket, official, registryAnswersMs))) return official;
  if (!(await engineHas(options.socket, official)))
    return publish(name, await thirdPartyImage(name, workshop), options);
  if (options.registry === "") return official;
  const id = (await options.docker(["image", "inspect", "--format", "{{.Id}}", official])).trim();
  const make = async (reference: string): Promise<void> => void (await options.docker(["tag", official, reference]));
  return publish(name, { hash: hashOf(id), make }, options);
}

/** What each of our images carries, in the order of their stages in the Dockerfile. */
const CARRIED: Readonly<Record<OwnImageName, readonly BundledService[]>> = {
  pause: [],
  scheduler: ["scheduler"],
  agent: ["agent"],
  workspace: ["host", "gate", "mongod-init"],
};

async function own(name: OwnImageName, { options, workshop, pulls, bundle }: Run): Promise<string> {
  const node = pulls ? undefined : await nodeImage(workshop);
  const dockerfile = imageFile("Dockerfile");
  const script = imageFile("healthy.sh");
  const carried = await Promise.all(CARRIED[name].map(bundle));
  const content = name === "pause" ? [] : [await readFile(script), ...carried];
  const image: Makeable = {
    hash: hashOf(await readFile(dockerfile), node?.hash ?? officialNodeImage, ...content),
    make: async reference => {
      const args = { NODE_IMAGE: node === undefined ? officialNodeImage : await onEngine("node", node, workshop) };
      const files = name === "pause" ? {} : { "healthy.sh": script, ...(await bundlesUpTo(name, bundle)) };
      await buildImage(options.docker, scratchDir(workshop), { reference, dockerfile, target: name, args, files });
    },
  };
  return publish(name, image, options);
}

/**
 * The classic builder walks through every stage above its target, so the context holds their
 * bundles too.
 */
async function bundlesUpTo(last: OwnImageName, bundle: Run["bundle"]): Promise<Readonly<Record<string, Buffer>>> {
  const stages = Object.keys(CARRIED) as OwnImageName[];
  const files: Record<string, Buffer> = {};
  for (const stage of stages.slice(0, stages.indexOf(last) + 1))
    for (const service of CARRIED[stage]) files[`${service}.mjs`] = await bundle(service);
  return files;
}

/** Makes an image and pushes it, unless the registry (or, without one, the engine) has it. */
async function publish(name: ImageName, image: Makeable, options: PublishOptions): Promise<string> {
  const startedAt = performance.now();
  const local = `skep/${name}:${image.hash}`;
  if (options.registry === "") {
    if (!(await engineHas(options.socket, local))) await image.make(local);
    return local;
  }
  const reference = `${options.registry}/${local}`;
  if (await registryHas(options.socket, reference, registryAnswersMs)) return reference;
  await image.make(reference);
  await options.docker(["push", "--quiet", reference]);
  options.onStep?.(`image ${name} published`, performance.now() - startedAt);
  return reference;
}
