import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { createMemoryDatabase } from "./memory-store.ts";
import { describeStore } from "../store.contract.ts";

const clock = createVirtualClock(1_700_000_000_000);

describeStore({
  name: "in memory",
  open: () => Promise.resolve(createMemoryDatabase(clock).connect("test")),
  wait: durationMs => clock.advance(durationMs),
});
