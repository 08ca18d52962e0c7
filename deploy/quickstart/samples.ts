import { request } from "node:http";
import { dirname, join } from "node:path";
import type { Cluster } from "./cluster.ts";
import type { StartOptions } from "./options.ts";
import { skep } from "./skep-command.ts";
import type { Steps } from "./steps.ts";

/** A sample tenant's app: where to see it and what to look for. */
export interface Sample {
  readonly name: string;
  readonly url: string;
  readonly look: string;
  /** The answer of its URL when the start ended; 0 for no answer. */
  readonly status: number;
}

const root = dirname(dirname(import.meta.dirname));

/** The samples, by file under deploy/samples; a `well` one must answer before the start is done. */
const SAMPLES = [
  {
    name: "httpbin",
    file: "httpbin.yaml",
    path: "/hostname",
    look: "three copies: ask again, another one answers",
    well: true,
  },
  { name: "pod", file: "nginx-pod.yaml", path: "/", look: "nginx and its sidecar share one address", well: true },
  {
    name: "unwell",
    file: "unwell.yaml",
    path: "/",
    look: "its health check fails: never routed, `skep ps` says why",
    well: false,
  },
] as const;

/**
 * Deploys the sample apps with the `skep` command, as a person would, and waits until the well ones
 * answer.
 */
export async function deploySamples(cluster: Cluster, options: StartOptions, steps: Steps): Promise<readonly Sample[]> {
  await steps.run("Sample tenants: skep deploy -f deploy/samples/*.yaml", async detail => {
    const { images } = cluster;
    const given = { HTTPBIN_IMAGE: images["go-httpbin"], NGINX_IMAGE: images.nginx, BUSYBOX_IMAGE: images.busybox };
    for (const sample of SAMPLES) {
      detail(sample.name);
      await skep(cluster, ["deploy", "-f", join(root, "deploy", "samples", sample.file), "--no-wait"], given);
    }
  });
  return steps.run("First answers of the samples through Traefik", async detail => {
    const answers: Sample[] = [];
    for (const sample of SAMPLES) {
      detail(sample.name);
      const host = `${sample.name}.localhost`;
      const status = sample.well
        ? await untilAnswers(options.httpPort, host, sample.path)
        : await statusOf(options.httpPort, host, sample.path);
      answers.push({
        name: sample.name,
        url: `http://${host}:${options.httpPort}${sample.path}`,
        look: sample.look,
        status,
      });
    }
    return answers;
  });
}

/** Asks until 200 comes. @throws Error after two minutes, with the last answer. */
async function untilAnswers(port: number, host: string, path: string): Promise<number> {
  const deadlineAt = performance.now() + 120_000;
  let status = 0;
  while (performance.now() < deadlineAt) {
    status = await statusOf(port, host, path);
    if (status === 200) return status;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(
    `http://${host}:${port}${path} did not answer within 2 minutes (last: ${status}). Look with: npm run skep -- ps`,
  );
}

/** The HTTP status of one request to localhost; 0 when nothing answered. */
function statusOf(port: number, host: string, path: string): Promise<number> {
  return new Promise(resolve => {
    const call = request(
      { host: "127.0.0.1", port, path, headers: { host }, agent: false, timeout: 3_000 },
      response => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      },
    );
    call.on("timeout", () => call.destroy());
    call.on("error", () => resolve(0));
    call.end();
  });
}
