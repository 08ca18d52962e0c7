import type { Buffer } from "node:buffer";
import { once, type EventEmitter } from "node:events";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Redis } from "ioredis";
import { MongoClient } from "mongodb";
import { connect, connectAsync } from "mqtt";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startMongodServer } from "../../support/mongod-server.ts";
import { startMosquittoServer } from "../../support/mosquitto-server.ts";
import { startRedisServer } from "../../support/redis-server.ts";
import { startVersitygwServer } from "../../support/versitygw-server.ts";

// With nothing cached they are fetched and built, which takes minutes.
beforeAll(async () => {
  for (const name of ["mosquitto", "redis-server", "versitygw", "mongod"] as const) await resolveProgram(name);
});

describe("the engines of a workspace keep what was written when they are killed and come back", () => {
  it("Mosquitto", async () => {
    const broker = await startMosquittoServer();
    onTestFinished(() => broker.close());
    const session = { clientId: "reader", clean: false, reconnectPeriod: 0 };
    const reader = await connectAsync(broker.url, session);
    await reader.subscribeAsync("a/#", { qos: 1 });
    await reader.endAsync();
    const writer = await connectAsync(broker.url, { reconnectPeriod: 0 });
    await writer.publishAsync("a/b", "kept", { qos: 1 });
    await writer.endAsync();
    await broker.stop();
    await broker.start();
    // What waits for it comes right behind the answer to its CONNECT.
    const again = connect(broker.url, session);
    onTestFinished(() => again.endAsync(true));
    const [, payload] = (await once(again as unknown as EventEmitter, "message")) as [string, Buffer];
    expect(payload.toString()).toBe("kept");
  });

  it("Redis", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const before = new Redis(server.url);
    await before.set("a", "kept");
    before.disconnect();
    await server.kill();
    await server.start();
    const after = new Redis(server.url);
    onTestFinished(() => after.disconnect());
    expect(await after.get("a")).toBe("kept");
  });

  it("versitygw", async () => {
    const server = await startVersitygwServer();
    onTestFinished(() => server.close());
    const { url, accessKeyId, secretAccessKey } = server;
    const s3 = new S3Client({
      ...{ endpoint: url, region: "us-east-1", forcePathStyle: true },
      credentials: { accessKeyId, secretAccessKey },
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    await s3.send(new CreateBucketCommand({ Bucket: "files" }));
    await s3.send(new PutObjectCommand({ Bucket: "files", Key: "a/b.txt", Body: "kept" }));
    await server.kill();
    await server.start();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "files", Key: "a/b.txt" }));
    expect(await Body?.transformToString()).toBe("kept");
  });

  it("MongoDB, of which another member takes over", async () => {
    const server = await startMongodServer(3);
    onTestFinished(() => server.close());
    const client = new MongoClient(server.url, { writeConcern: { w: "majority" } });
    onTestFinished(() => client.close());
    await client.db("a").collection<{ _id: string }>("b").insertOne({ _id: "kept" });
    const first = await server.primary();
    await first.kill();
    expect(await client.db("a").collection<{ _id: string }>("b").countDocuments({ _id: "kept" })).toBe(1);
    expect((await server.primary()).host).not.toBe(first.host);
    await first.start();
  });
});
