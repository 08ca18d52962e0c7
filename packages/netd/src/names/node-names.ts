import { readFile } from "node:fs/promises";
import type { Block } from "@skep/core/network/block.ts";
import type { NameTable } from "@skep/core/network/names.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import { createDnsServer, type DnsServer } from "./dns-server.ts";
import { createForward, type Upstream } from "./forward.ts";
import { parseResolvers } from "./resolvers.ts";

/** Answers names on the node, from when its address is there. */
export interface NodeNames {
  /** From now on names are those of the table. */
  take(table: NameTable, pool: Block): void;
  close(): Promise<void>;
}

/** What it works with. */
export interface NodeNamesOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
  readonly loops: Loops;
  /** Where it listens; the address comes with the node's network. */
  readonly address: string;
  readonly port: number;
  /** The node's `resolv.conf`. */
  readonly resolvConf: string;
}

/** The loop's name in the states of the process. */
export const NAMES_LOOP = "names";

/** How often the file of the node's resolvers is read: a node may get others as it runs. */
const RESOLVERS_EVERY_MS = 10_000;
const GAP_MS = 500;

/**
 * Begins to answer. The address is not there before the node's network is made, so it tries until
 * it can listen.
 */
export function createNodeNames(options: NodeNamesOptions): NodeNames {
  const { clock, log, loops, address, port, resolvConf } = options;
  let upstreams: readonly Upstream[] = [];
  let server: DnsServer | undefined;
  let told: { readonly table: NameTable; readonly pool: Block } | undefined;
  const forward = createForward(() => upstreams);

  async function run(): Promise<void> {
    if (told !== undefined && server === undefined) {
      server = await createDnsServer({ address, port, forward, clock, log });
      server.take(told.table, told.pool);
      log.info("names.listening", "Names are answered.", { address, port: server.port });
    }
    upstreams = parseResolvers(await readFile(resolvConf, "utf8"), address);
  }

  const loop = loops.begin(NAMES_LOOP, run, { minGapMs: GAP_MS, periodMs: RESOLVERS_EVERY_MS });
  return {
    take: (table, pool) => {
      told = { table, pool };
      server?.take(table, pool);
      if (server === undefined) loop.hint();
    },
    close: async () => {
      await loop.close();
      await server?.close();
    },
  };
}
