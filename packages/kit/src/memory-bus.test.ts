import { describe, expect, test } from "vitest";
import { busContract } from "./bus.contract.ts";
import { systemClock } from "./clock.ts";
import { createMemoryNetwork } from "./memory-bus.ts";
import { createVirtualClock } from "./virtual-clock.ts";

busContract("The bus in memory", () => {
  const network = createMemoryNetwork(systemClock);
  network.setMaxPayload(300 * 1024);
  return Promise.resolve({
    connect: name => network.connect(name),
    goAway: () => Promise.resolve(["one", "other"].forEach(name => network.cut(name))),
    comeBack: () => Promise.resolve(["one", "other"].forEach(name => network.heal(name))),
    close: () => Promise.resolve(),
  });
});

describe("The memory network's faults", () => {
  const none = new Uint8Array();

  function pair() {
    const clock = createVirtualClock();
    const network = createMemoryNetwork(clock);
    const [sender, receiver] = [network.connect("sender"), network.connect("receiver")];
    const heard: string[] = [];
    receiver.subscribe("s.>", message => void heard.push(message.subject));
    return { clock, network, sender, receiver, heard };
  }

  test("a policy drops, doubles, delays and so reorders", async () => {
    const { clock, network, sender, heard } = pair();
    const delays: Record<string, readonly number[]> = {
      "s.drop": [],
      "s.twice": [1, 5],
      "s.late": [10],
      "s.soon": [3],
    };
    network.setPolicy(passage => delays[passage.subject] ?? [0]);
    for (const subject of Object.keys(delays)) sender.publish(subject, none);
    await clock.advance(20);
    expect(heard).toEqual(["s.twice", "s.soon", "s.twice", "s.late"]);
  });

  test("a cut that nobody noticed loses messages while both believe they are connected", async () => {
    const { clock, network, sender, receiver, heard } = pair();
    network.cut("receiver", "unnoticed");
    sender.publish("s.lost", none);
    await clock.advance(1);
    expect([heard, receiver.connected()]).toEqual([[], true]);
    network.heal("receiver");
    sender.publish("s.kept", none);
    await clock.advance(1);
    expect(heard).toEqual(["s.kept"]);
  });

  test("a request towards an unnoticed cut ends by its timeout", async () => {
    const { clock, network, sender } = pair();
    network.cut("receiver", "unnoticed");
    const asked = expect(sender.request("s.x", none, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(1_000);
    await asked;
  });

  test("a message that is under way when its receiver crashes is lost, and its next life hears the next", async () => {
    const { clock, network, sender, heard } = pair();
    network.setPolicy(() => [5]);
    sender.publish("s.1", none);
    network.crash("receiver");
    network.connect("receiver").subscribe("s.>", message => void heard.push(`again ${message.subject}`));
    sender.publish("s.2", none);
    await clock.advance(10);
    expect(heard).toEqual(["again s.2"]);
  });
});
