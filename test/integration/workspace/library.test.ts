import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { expect, it } from "vitest";
import { freePort, startChild } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { startMongodServer } from "../../support/mongod-server.ts";
import { startMosquittoServer } from "../../support/mosquitto-server.ts";
import { root } from "../../tidy/sources.ts";

it("runs a workspace by the lines of the package's README, without a fleet", async () => {
  await using stack = new AsyncDisposableStack();
  const mongod = stack.adopt(await startMongodServer(), one => one.close());
  const broker = stack.adopt(await startMosquittoServer(), one => one.close());
  const readme = await readFile(join(root, "packages/workspace/README.md"), "utf8");
  const [, connector = ""] = /## As a library.*?```json\n(.*?)```/s.exec(readme) ?? [];
  const [, code = ""] = /## As a library.*?```js\n(.*?)```/s.exec(readme) ?? [];
  const program = code
    .replace("mongodb://localhost:27017", mongod.url)
    .replace("mqtt://localhost:1883", broker.url)
    .replace("7704", String(await freePort()));
  expect(program).not.toMatch(/localhost|7704/);

  const directory = stack.adopt(await mkdtemp(join(tmpdir(), "skep-library-")), one => rm(one, { recursive: true }));
  await writeFile(join(directory, "connector.json"), connector);
  await writeFile(join(directory, "main.mjs"), program);
  await symlink(join(root, "test/node_modules"), join(directory, "node_modules"));
  const child = startChild(process.execPath, ["main.mjs"], { cwd: directory });
  stack.defer(() => child.end());
  await eventually(() => expect(child.process.exitCode, child.output()).toBe(0));
  expect(child.output()).toContain("true ACTIVE");
  expect(child.output()).toContain("Workspace fleet is DROPPED.");

  const client = stack.adopt(new MongoClient(mongod.url), one => one.close());
  const names = (await client.db("ws_fleet").listCollections().toArray()).map(one => one.name);
  expect(names.toSorted()).toEqual(["dead_letters", "messages"]);
});
