import { parseStartOptions, USAGE, type StartOptions } from "./quickstart/options.ts";
import { startCluster } from "./quickstart/cluster.ts";
import { whyLocalEngine, type Ground } from "./quickstart/ground.ts";
import { deploySamples } from "./quickstart/samples.ts";
import { plan, screen } from "./quickstart/screen.ts";
import { usageSentence } from "./quickstart/usage.ts";
import { downFleet } from "@skep/devswarm/fleet.ts";
import { refuseTakenPorts } from "./quickstart/ports.ts";
import { createSteps } from "./quickstart/steps.ts";
import { asOnlyStart } from "./quickstart/one-start.ts";
import { createWorkspaces, sendMessages, type SampleWorkspace } from "./quickstart/workspaces.ts";

/** Waits for Ctrl-C or a stop from outside; answers which signal came. */
function untilStopped(): Promise<NodeJS.Signals> {
  // On an engine that was there before, nothing else keeps this process.
  setInterval(() => undefined, 3_600_000);
  return new Promise(resolve => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve(signal));
  });
}

function whyUnmeasured(error: unknown): string {
  return `\nWhat all of it uses cannot be measured here: ${error instanceof Error ? error.message : String(error)}\n`;
}

async function start(options: StartOptions): Promise<void> {
  const out = process.stdout;
  out.write(plan(options));
  const startedAt = performance.now();
  const steps = createSteps(out, options.workspaces ? 8 : 6);
  const stopped = untilStopped();
  let ground: Ground | undefined;
  let workspaces: readonly SampleWorkspace[] = [];
  const work = (async () => {
    const cluster = await startCluster(options, steps, found => (ground = found));
    // Their pods begin while the samples do.
    const created = options.workspaces ? await createWorkspaces(cluster, steps) : [];
    const samples = await deploySamples(cluster, options, steps);
    if (options.workspaces) workspaces = await sendMessages(cluster, steps, created);
    out.write(screen(cluster, samples, workspaces, performance.now() - startedAt));
    out.write(await usageSentence(cluster).catch(whyUnmeasured));
  })();
  const failure = work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  // A failed start ends at once; a good one waits for the person.
  const failed = await Promise.race([
    failure.then(error => error ?? stopped.then(() => undefined)),
    stopped.then(() => undefined),
  ]);
  if (failed) {
    process.stderr.write(`\n${failed.message}\n`);
    process.exitCode = 1;
  }
  for (const device of workspaces.flatMap(one => one.devices)) device.end();
  // Whatever a second Ctrl-C wants, taking down comes first: it takes seconds.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  if (options.keep && !failed)
    out.write(
      `\nLeft running (--keep). \`npm start\` finds it again; \`npm run devswarm -- down --fleet ${options.fleet}\` takes it down.\n`,
    );
  else {
    out.write("\nTaking everything down ...\n");
    if (ground !== undefined) await ground.down();
    // Without ground yet, a fleet may be half up: taking one down works from what it wrote about
    // itself.
    else if (whyLocalEngine(options) === undefined) await downFleet(options.fleet);
    out.write("Nothing is left behind.\n");
  }
}

/** Who meant another option needs to know which there are; nobody else does. */
function readOptions(): StartOptions | "help" {
  try {
    return parseStartOptions(process.argv.slice(2));
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE.trimEnd()}`, {
      cause: error,
    });
  }
}

try {
  const options = readOptions();
  if (options === "help") process.stdout.write(USAGE);
  else {
    await asOnlyStart(options.fleet, async () => {
      // An engine that is there may hold them for a stack that a start left running.
      if (whyLocalEngine(options) === undefined) await refuseTakenPorts(options);
      await start(options);
    });
    process.exit();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // Where taking down failed, signals are heard no more and a timer runs: nothing else would end
  // it.
  process.exit(2);
}
