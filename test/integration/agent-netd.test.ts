import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectNetd } from "@skep/agent/net/connect-netd.ts";
import { netdContract } from "@skep/agent/net/netd.contract.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createKeeper } from "@skep/netd/keeper.ts";
import { createMemoryKernel } from "@skep/netd/kernel/memory.ts";
import { listenOnSocket } from "@skep/netd/socket.ts";
import { createMemoryState } from "@skep/netd/state/kept-state.ts";

netdContract("a real netd on a kernel in memory, by its socket", async () => {
  const dir = await mkdtemp(join(tmpdir(), "skep-netd-"));
  const netns = "/run/docker/netns/0123456789ab";
  const log = createRecordingLog();
  const loops = createLoops({ clock: systemClock, log, random: () => 0.5 });
  const ports = { kernel: createMemoryKernel([netns]), kept: createMemoryState(), clock: systemClock, log, loops };
  const keeper = await createKeeper(ports);
  const socket = await listenOnSocket(join(dir, "netd.sock"), keeper);
  return {
    netd: createConnectNetd(join(dir, "netd.sock")),
    ...{ netns, noNetns: "/run/docker/netns/ba9876543210" },
    close: async () => {
      await socket.close();
      await keeper.close();
      await rm(dir, { recursive: true });
    },
  };
});
