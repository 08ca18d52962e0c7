import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";

/** An S3 server of a test file's own, which keeps objects as files. */
export interface VersitygwServer {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Ends the process at once, as a crash would; `start` brings it back on the same data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a real gateway over a temporary directory on a free port of the loopback. */
export async function startVersitygwServer(): Promise<VersitygwServer> {
  const { path } = await resolveProgram("versitygw");
  const directory = await mkdtemp(join(tmpdir(), "skep-s3-"));
  const data = join(directory, "data");
  await mkdir(data);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [accessKeyId, secretAccessKey] = ["skep-test", "skep-test-secret"];
  const env = { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  let child: Child;
  async function start(): Promise<void> {
    child = startChild(path, ["--port", `127.0.0.1:${port}`, "posix", data], { env });
    await eventually(() => answers(url, child));
  }
  await start();
  return {
    ...{ url, accessKeyId, secretAccessKey },
    kill: () => child.end("SIGKILL"),
    start,
    close: async () => {
      await child.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Anybody is refused, which shows that somebody answers. */
async function answers(url: string, child: Child): Promise<void> {
  if (child.process.exitCode !== null) throw new Error(`versitygw ended: ${child.output()}`);
  await fetch(url, { signal: AbortSignal.timeout(1_000) });
}
