import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { createFileHost, type FileHost, type FileWorkspace } from "@skep/workspace/files/file-host.ts";
import type { WorkspaceFiles } from "@skep/workspace/files/files.ts";
import { expect, onTestFinished } from "vitest";
import { startVersitygwServer, type VersitygwServer } from "../../support/versitygw-server.ts";

/** Where all hosts of these tests keep their files. */
export const BUCKET = "skep-files";
let number = 0;

/** Two real S3 servers, and hosts of files that stand on them. */
export class FileRegions {
  readonly east: VersitygwServer;
  readonly west: VersitygwServer;
  /** A client of the east that goes past the host. */
  readonly s3: S3Client;
  readonly host: FileHost;
  /** What is to be done once links have expired. */
  readonly #timers = new Set<() => void>();
  readonly #clock: Clock = {
    ...systemClock,
    timer: (delayMs, run) => {
      if (delayMs > 600_000) return () => undefined;
      this.#timers.add(run);
      return () => void this.#timers.delete(run);
    },
  };

  constructor(east: VersitygwServer, west: VersitygwServer) {
    const { accessKeyId, secretAccessKey, url } = east;
    const credentials = { accessKeyId, secretAccessKey };
    this.east = east;
    this.west = west;
    this.s3 = new S3Client({ endpoint: url, region: "us-east-1", forcePathStyle: true, credentials });
    this.host = this.another();
  }

  /** Another host, such as the one after a host that died. */
  another(stallMs = 10_000): FileHost {
    const { east, west } = this;
    const regions = Object.entries({ east, west }).map(([name, { url, accessKeyId, secretAccessKey }]) => {
      return { name, endpoint: url, bucket: BUCKET, accessKeyId, secretAccessKey };
    });
    return createFileHost({ regions, clock: this.#clock, stallMs });
  }

  /** The files of a workspace of a test's own. */
  async open(
    workspace: Partial<FileWorkspace> = {},
    on: FileHost = this.host,
  ): Promise<{ readonly id: string; readonly files: WorkspaceFiles }> {
    number += 1;
    const id = workspace.id ?? `w${number}`;
    const files = await on.open({ ...workspace, id });
    onTestFinished(() => files.close());
    return { id, files };
  }

  /** Lets all links expire. */
  expire(): void {
    for (const run of this.#timers) run();
  }

  /** Uploads of a workspace that are not whole. */
  async partsOf(id: string): Promise<number> {
    const command = new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: `ws/${id}/` });
    return (await this.s3.send(command)).Uploads?.length ?? 0;
  }

  async keysOf(id: string): Promise<readonly (string | undefined)[]> {
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `ws/${id}/` }));
    return Contents.map(({ Key }) => Key);
  }

  async close(): Promise<void> {
    await this.host.close();
    this.s3.destroy();
    await Promise.all([this.east.close(), this.west.close()]);
  }
}

/** Starts them. */
export async function startFileRegions(): Promise<FileRegions> {
  await resolveProgram("versitygw");
  const [east, west] = await Promise.all([startVersitygwServer(), startVersitygwServer()]);
  return new FileRegions(east, west);
}

/** A small body. */
export function text(content: string): Readable {
  return Readable.from([Buffer.from(content)]);
}

/** A small file. */
export async function read(files: WorkspaceFiles, name: string): Promise<string> {
  return (await buffer((await files.download(name)).body)).toString();
}

/** A SkepError of that reason. */
export function because(reason: string): unknown {
  return expect.objectContaining({ name: "SkepError", reason });
}
