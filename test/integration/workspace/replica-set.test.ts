import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { HOSTS_USER } from "@skep/workspace/replica-set/hosts-user.ts";
import { makeReplicaSetReady } from "@skep/workspace/replica-set/make-ready.ts";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort, startChild, type Child } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";

const KEY = "a2V5LW9mLXRoZS1zZXJ2ZXItaXRzZWxm";
let directory: string;
let host: string;
let child: Child;

// As stack/workspaces.yml starts it: with a key, so that nobody may come from elsewhere.
beforeAll(async () => {
  const { path } = await resolveProgram("mongod");
  directory = await mkdtemp(join(tmpdir(), "skep-replica-set-"));
  await mkdir(join(directory, "db"));
  await writeFile(join(directory, "key"), `${KEY}\n`, { mode: 0o400 });
  const port = await freePort();
  host = `127.0.0.1:${port}`;
  const where = ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", join(directory, "db"), "--nounixsocket"];
  const how = ["--replSet", "rs", "--keyFile", join(directory, "key"), "--wiredTigerCacheSizeGB", "0.25"];
  child = startChild(path, [...where, ...how]);
});
afterAll(async () => {
  await child.end();
  await rm(directory, { recursive: true, force: true });
});

/** Writes as somebody. */
async function write(user: string, password: string): Promise<unknown> {
  const auth = user === "" ? {} : { auth: { username: user, password } };
  const client = new MongoClient(`mongodb://${host}/?replicaSet=rs`, { ...auth, serverSelectionTimeoutMS: 5_000 });
  try {
    return await client
      .db("ws_a")
      .collection("b")
      .insertOne({}, { writeConcern: { w: "majority" } });
  } finally {
    await client.close();
  }
}

it("makes a server with a key a replica set of one that lets in its hosts and nobody else", async () => {
  const ready = (password: string): ReturnType<typeof makeReplicaSetReady> =>
    makeReplicaSetReady({ host, access: { key: `${KEY}\n`, password }, clock: systemClock });
  expect(await eventually(() => ready("first-password-of-hosts"))).toEqual([
    "the replica set was made",
    "the user skep was made",
  ]);
  await write(HOSTS_USER, "first-password-of-hosts");
  await expect(write("", "")).rejects.toThrow("requires authentication");
  await expect(write(HOSTS_USER, "another")).rejects.toThrow("Authentication failed");
  // Started again it changes nothing, but for a secret that was rotated.
  expect(await ready("first-password-of-hosts")).toEqual([]);
  await write(HOSTS_USER, "first-password-of-hosts");
  expect(await ready("second-password-of-hosts")).toEqual([]);
  await write(HOSTS_USER, "second-password-of-hosts");
  await expect(write(HOSTS_USER, "first-password-of-hosts")).rejects.toThrow("Authentication failed");
  await expect(
    makeReplicaSetReady({
      host,
      access: { key: "bm90LXRoZS1rZXk=", password: "another-password" },
      clock: systemClock,
    }),
  ).rejects.toThrow("Authentication failed");
}, 60_000);
