import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "@skep/api/gen/version.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { showConfig } from "@skep/kit/config.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { createNatsBus, type NatsOptions } from "@skep/kit/nats-bus.ts";
import { signedLogin } from "@skep/kit/nats-keys.ts";
import { nodeInbox } from "@skep/api/subjects.ts";
import type { Engine } from "./engine/engine.ts";
import { keepNodeKey } from "./node/node-key.ts";
import { systemIds, systemRandom } from "@skep/kit/random.ts";
import { sharedWithKernel } from "./node/ephemeral-ports.ts";
import { createCgroupSampler } from "./node/cgroup.ts";
import { SETTINGS, type Config } from "./config.ts";
import { createAgent, waitForEngine } from "./create-agent.ts";
import { awaitDocker } from "./engine/docker.ts";
import { createChildGuard } from "./guard/child-guard.ts";
import type { Guard } from "./guard/guard.ts";
import { GUARD_ARGUMENT } from "./guard/message.ts";
import { createFileJournal } from "./loop/journal.ts";
import { createFileMemo } from "./loop/memo.ts";
import { serveProbe } from "./node/probe-server.ts";
import { networkProber } from "./loop/prober.ts";
import { createRegistries, noRegistries } from "./loop/registry-auth.ts";

/** Builds the agent from the real ports and runs it until its life ends. */
export async function serve(config: Config, log: Log, { stack, signal }: Life): Promise<void> {
  log.info("process.configured", "The agent begins.", { config: showConfig(SETTINGS, config) });
  const { dockerSocket: socketPath, networkPool, natsUrl } = config;
  const engine = await awaitDocker({ socketPath, networkPool }, log, signal);
  const bus = createNatsBus({
    servers: natsUrl.split(","),
    name: "agent",
    log,
    ...(await whoWeAre(config, engine, log, signal)),
  });
  stack.defer(() => bus.close());
  warnOfSharedPorts(config, log);
  const agent = createAgent({
    engine,
    bus,
    log,
    clock: systemClock,
    random: systemRandom,
    ids: systemIds,
    prober: networkProber,
    guard: childGuard(config, log),
    journal: createFileJournal(config.stateDir, error => {
      log.error("journal.spoilt", "The journal cannot be read; the node waits for its assignment.", { error });
    }),
    healthyMemo: createFileMemo(config.stateDir, "healthy"),
    imagesMemo: createFileMemo(config.stateDir, "images"),
    directoryMemo: createFileMemo(config.stateDir, "directory"),
    sampler: createCgroupSampler(config.cgroupRoot, config.procRoot),
    registries: config.registryAuth === undefined ? noRegistries : createRegistries(config.registryAuth),
    machineBootId: readFileSync(join(config.procRoot, "sys/kernel/random/boot_id"), "utf8").trim(),
    limits: config,
    sandboxImage: config.pauseImage,
    startLimit: config.startLimit,
    agentVersion: VERSION,
  });
  const probe = await serveProbe(config.probePort, { agent: () => agent.trouble() }, log);
  stack.defer(() => probe.close(0));
  // Peers may still ask while a drained node waits for its instances to leave, so the page goes
  // after the agent.
  stack.defer(() => agent.stop());
  await agent.start();
}

/**
 * A node whose kernel gives tenants' ports away works most of the time: it is said, and the agent
 * goes on.
 */
function warnOfSharedPorts(config: Config, log: Log): void {
  const file = join(config.procRoot, "sys/net/ipv4/ip_local_port_range");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const shared = sharedWithKernel({ from: config.portFrom, to: config.portTo }, text);
  if (shared === undefined) return;
  log.warn(
    "ports.shared",
    `The kernel gives ${shared.from} to ${shared.to} to outgoing connections as well, so instances may fail to start: ` +
      "move SKEP_PORT_FROM and SKEP_PORT_TO, or sysctl net.ipv4.ip_local_port_range.",
    { ...shared },
  );
}

/** The same program as this one, told to be a guard. */
function childGuard({ dockerSocket }: Config, log: Log): Guard {
  const args = [process.argv[1] ?? "", GUARD_ARGUMENT, dockerSocket];
  return createChildGuard({ program: process.execPath, args, clock: systemClock, log });
}

/**
 * The identity of the agent on the bus: its node, by a key of its own; or a user of all agents
 * where no join secret is set.
 */
async function whoWeAre(
  config: Config,
  engine: Engine,
  log: Log,
  signal: AbortSignal,
): Promise<Pick<NatsOptions, "user" | "password" | "login" | "inboxPrefix">> {
  const { natsUser: user, natsPassword: password, natsJoinSecret: joinSecret, stateDir } = config;
  if (joinSecret === undefined)
    return { user, inboxPrefix: "_INBOX_agent", ...(password === undefined ? {} : { password }) };
  const facts = await waitForEngine({ engine, log, clock: systemClock }, signal);
  if (facts === undefined) return {};
  const seed = await keepNodeKey(stateDir, facts.nodeId);
  return {
    login: signedLogin(seed, { user: facts.nodeId, password: joinSecret }),
    inboxPrefix: nodeInbox(facts.nodeId),
  };
}
