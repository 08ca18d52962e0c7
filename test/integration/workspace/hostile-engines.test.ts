import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceDatabase } from "@skep/workspace";
import type { WorkspaceFiles } from "@skep/workspace/files/files.ts";
import { createConnections, openDatabase } from "@skep/workspace";
import { afterAll, beforeAll, expect } from "vitest";
import { describeAttempts } from "../../support/hostile.ts";
import { startMongodServer } from "../../support/mongod-server.ts";
import { messages } from "../../support/workspace-database.ts";
import { startFileRegions, text, type FileRegions } from "./file-regions.ts";
import { CURSORS, FILES, QUERIES, UPLOADS } from "./hostile/engines.ts";

/**
 * What a hostile tenant asks of the database and the files that it shares with others, on real
 * engines: each attempt with its answer. After each one its neighbour has what it had.
 */
const stack = new AsyncDisposableStack();
let mine: WorkspaceDatabase;
let neighbour: WorkspaceDatabase;
let regions: FileRegions;
let files: WorkspaceFiles;
let theirs: WorkspaceFiles;

beforeAll(async () => {
  const mongod = stack.adopt(await startMongodServer(), one => one.close());
  const connections = createConnections();
  const open = async (workspaceId: string): Promise<WorkspaceDatabase> => {
    const options = { workspaceId, url: mongod.url, megabytes: 100, connections };
    return stack.adopt(await openDatabase(options), one => one.close());
  };
  [mine, neighbour] = [await open("mine"), await open("neighbour")];
  await mine.store(messages(50));
  await neighbour.store(messages(3));
  regions = stack.adopt(await startFileRegions(), one => one.close());
  files = await regions.host.open({ id: "mine", quota: { bytes: 60e6, files: 100 } });
  theirs = await regions.host.open({ id: "neighbour" });
  await theirs.upload("secret.txt", text("theirs"));
});
afterAll(() => stack.disposeAsync());

async function refusal(act: () => Promise<unknown>): Promise<string> {
  try {
    return `DONE: ${JSON.stringify(await act())}`;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error instanceof SkepError ? error.reason : error.name} ${error.message} ${JSON.stringify(error)}`;
  }
}

async function unharmed(): Promise<void> {
  const { documents } = await neighbour.find({ collection: "messages" });
  expect(documents.map(one => one["_id"] as string)).toEqual(["m2", "m1", "m0"]);
  expect((await theirs.list()).files.map(({ name, size }) => [name, size])).toEqual([["secret.txt", 6]]);
}

const ask = ({ filter, pipeline }: (typeof QUERIES)[number]["input"]): Promise<unknown> =>
  pipeline === undefined
    ? mine.find({ collection: "messages", filter })
    : mine.aggregate({ collection: "messages", pipeline });

describeAttempts("queries", QUERIES, input => refusal(() => ask(input)), unharmed);
describeAttempts(
  "cursors",
  CURSORS,
  input => refusal(() => mine.find({ collection: "messages", ...input } as never)),
  unharmed,
);
describeAttempts(
  "file names",
  FILES,
  async name => {
    const answers = [
      await refusal(() => files.upload(name, text("x"))),
      await refusal(() => files.download(name)),
      await refusal(() => files.stat(name)),
      await refusal(() => files.remove(name)),
      await refusal(() => files.linkToRead(name, 60)),
      await refusal(() => files.linkToWrite(name, 60, { most: 10 })),
    ];
    expect(answers.filter(one => !one.includes("FILE_NAME"))).toEqual([]);
    return answers.join("\n");
  },
  unharmed,
);
describeAttempts(
  "uploads",
  UPLOADS,
  async ({ bytes, cutAfter, size }) => {
    const known = size === undefined ? {} : { size };
    const answer = await refusal(() => files.upload("big.bin", made(bytes, cutAfter), known));
    // Nothing of it stays: no file, no part of one, and no room is held.
    expect(files.usage()).toEqual({ bytes: 0, files: 0, heldBytes: 0, heldFiles: 0 });
    expect([await regions.keysOf("mine"), await regions.partsOf("mine")]).toEqual([[], 0]);
    return answer;
  },
  unharmed,
);

const CHUNK = Buffer.alloc(1e6, "skep");

/** Bytes that are made as they are read. */
async function* made(bytes: number, cutAfter = Infinity): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    await Promise.resolve();
    if (sent >= cutAfter) throw new Error("the wire broke");
    yield CHUNK;
  }
}
