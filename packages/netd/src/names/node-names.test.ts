import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Resolver } from "node:dns/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseBlock } from "@skep/core/network/block.ts";
import type { NameTable } from "@skep/core/network/names.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { seededRandom } from "@skep/kit/random.ts";
import { expect, it, onTestFinished } from "vitest";
import { createNodeNames } from "./node-names.ts";

const POOL = parseBlock("127.0.0.0/24")!;
const network = [{ name: "shop_default", aliases: [] }];
const table = (well: string): NameTable => ({
  askers: [{ address: "127.0.0.1", tenantId: "acme", project: "shop", networks: ["shop_default"] }],
  tenants: [
    {
      tenantId: "acme",
      entries: [{ deployment: "shop-db", project: "shop", service: "db", networks: network, well: [well], others: [] }],
    },
  ],
});

it("answers once it can listen, by the newest table that it was told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "names-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "resolv.conf"), "nameserver 127.0.0.1\n");
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  const log = createRecordingLog();
  const names = createNodeNames({
    ...{ clock: systemClock, log, loops: createLoops({ clock: systemClock, log, random: seededRandom("names") }) },
    ...{ address: "127.0.0.1", port, resolvConf: join(folder, "resolv.conf") },
  });
  onTestFinished(() => names.close());
  names.take(table("127.0.0.7"), POOL);
  names.take(table("127.0.0.8"), POOL);
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(
    log.lines.map(one => one.event),
    "somebody else is there",
  ).not.toContain("names.listening");
  holder.close();
  const resolver = new Resolver({ timeout: 200, tries: 20 });
  resolver.setServers([`127.0.0.1:${port}`]);
  await expect.poll(() => resolver.resolve4("db").catch(() => []), { timeout: 5_000 }).toEqual(["127.0.0.8"]);
  names.take(table("127.0.0.9"), POOL);
  expect(await resolver.resolve4("db")).toEqual(["127.0.0.9"]);
});
