import { afterAll, describe, expect, it } from "vitest";
import { engineContract } from "@skep/agent/engine/engine.contract.ts";
import type { EngineUnderTest } from "@skep/agent/engine/engine-under-test.ts";
import { openDocker } from "@skep/agent/engine/docker.ts";
import { aContainer, anInstance, aSpec } from "@skep/agent/testing/builders.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import { docker, downFleet, upFleet } from "@skep/devswarm/fleet.ts";
import { importBusybox } from "../support/busybox.ts";

const BOX = "skep-test/box";
/** The same with a program and a check of its own: `sh` ends at once, `sleep` runs. */
const OWN = "skep-test/own";

async function openEngine(): Promise<EngineUnderTest> {
  const fleet = await upFleet({ name: "agenttest", nodes: 1, managers: 1 });
  const node = fleet.nodes[0];
  if (node === undefined) throw new Error("The fleet agenttest has no node.");
  const run = (argv: readonly string[]) => docker(fleet, node.name, argv);
  await importBusybox(run, BOX);
  const own = ['ENTRYPOINT ["sh","-c","exit 7"]', 'CMD ["sleep","600"]', "HEALTHCHECK --interval=1h CMD test -e /well"];
  await run(["create", "--name", "own", BOX, "true"]);
  await run(["commit", ...own.flatMap(change => ["--change", change]), "own", OWN]);
  return {
    engine: await openDocker({ socketPath: node.socket, networkPool: "10.201.0.0/16" }),
    image: BOX,
    unknownImage: "skep-test/nothing",
    ports: [20_001, 20_002],
    within: promise => promise,
    resolvConf: id => docker(fleet, node.name, ["exec", id, "cat", "/etc/resolv.conf"]),
    removeOutside: async id => void (await docker(fleet, node.name, ["rm", "-f", id])),
    // The whole file shares it.
    close: () => Promise.resolve(),
  };
}

let opened: Promise<EngineUnderTest> | undefined;
const open = (): Promise<EngineUnderTest> => (opened ??= openEngine());

afterAll(async () => {
  await opened;
  await downFleet("agenttest");
}, 60_000);

engineContract("a real Docker engine", open);

describe("what a spec asks for besides, on a real Docker engine", () => {
  let serial = 0;

  /** Runs a container of the spec, in a pod if `beside` has more, and gives a shell in it. */
  async function run(over: Partial<ContainerSpec>, ...beside: readonly ContainerSpec[]) {
    const { engine } = await open();
    const container = aContainer({ image: BOX, command: ["sleep", "600"], ...over });
    const spec = aSpec({ name: "besides", containers: [container, ...beside] });
    const instance = anInstance({ instanceId: `acme.besides.${++serial}`, spec });
    await engine.createNetwork("acme");
    let sandboxId: string | undefined;
    if (beside.length > 0) {
      sandboxId = await engine.createSandbox({ instance, image: BOX, specHash: "s" });
      await engine.start(sandboxId);
    }
    const id = await engine.createContainer({ instance, container, specHash: "h", sandboxId });
    await engine.start(id);
    const see = async () => (await engine.observe()).containers.find(one => one.id === id);
    const sh = async (line: string): Promise<string> => {
      const request = { argv: ["sh", "-c", line], stdin: new Uint8Array() };
      const decoder = new TextDecoder();
      let out = "";
      for await (const event of engine.exec(id, request, AbortSignal.timeout(10_000)))
        if (event.kind === "output") out += decoder.decode(event.data, { stream: true });
      return out.trim();
    };
    return { see, sh };
  }

  it("is there as it was asked for", async () => {
    const { sh } = await run({
      ...{ init: true, hostname: "db", domainname: "example.org", shmBytes: 1 << 25, dropCapabilities: ["ALL"] },
      ulimits: [{ name: "nofile", soft: 1_000, hard: 2_000 }],
      extraHosts: [{ name: "far", address: "192.0.2.7" }],
      sysctls: { "net.core.somaxconn": "77", "net.ipv4.tcp_keepalive_time": "99" },
      tmpfs: [
        { target: "/run/a", sizeBytes: 1 << 20, mode: 0o1770, uid: 7, gid: 8 },
        { target: "/run/b", exec: true },
      ],
    });
    expect(await sh("cat /proc/1/comm")).toMatch(/init/);
    expect(await sh("busybox hostname; cat /proc/sys/kernel/domainname")).toBe("db\nexample.org");
    expect(await sh("busybox grep CapBnd /proc/self/status")).toMatch(/0000000000000000$/);
    expect(await sh("busybox grep 'open files' /proc/1/limits")).toMatch(/1000 +2000/);
    expect(await sh("busybox grep far /etc/hosts")).toMatch(/^192\.0\.2\.7\s+far$/);
    expect(await sh("cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/tcp_keepalive_time")).toBe("77\n99");
    expect(await sh("busybox grep -E ' (/run/a|/run/b|/dev/shm) ' /proc/mounts | busybox sort")).toMatch(
      /\/dev\/shm .*size=32768k[^]*\/run\/a .*noexec.*size=1024k,mode=1770,uid=7,gid=8[^]*\/run\/b (?!.*noexec)/,
    );
  }, 30_000);

  it("is there in a pod, whose network has its part of it", async () => {
    const network = { hostname: "pod", sysctls: { "net.core.somaxconn": "78" } };
    const extraHosts = [{ name: "far", address: "2001:db8::7" }];
    const { sh } = await run({ ...network, extraHosts, shmBytes: 1 << 25 }, aContainer({ name: "side" }));
    expect(await sh("busybox hostname; cat /proc/sys/net/core/somaxconn; busybox grep -o far /etc/hosts")).toBe(
      "pod\n78\nfar",
    );
    expect(await sh("busybox grep ' /dev/shm ' /proc/mounts")).toContain("size=32768k");
  }, 30_000);

  it("lets a program write no more of its output than is kept", async () => {
    const line = "i=0; while [ $i -lt 9000 ]; do echo 0123456789; i=$((i+1)); done; sleep 600";
    const logging = { maxBytes: 10_000, maxFiles: 1 };
    const { see } = await run({ command: ["sh", "-c", line], logging });
    const { engine } = await open();
    const request = { follow: false, tail: undefined, sinceAt: undefined };
    await expect
      .poll(
        async () => {
          let count = 0;
          for await (const _ of engine.logs((await see())!.id, request, AbortSignal.timeout(5_000))) count++;
          return count > 0 && count < 2_000;
        },
        { timeout: 10_000 },
      )
      .toBe(true);
  }, 30_000);

  it("clears the image's entrypoint, so that its command is the program", async () => {
    const { see } = await run({ image: OWN, entrypoint: [], command: undefined });
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(await see()).toMatchObject({ state: "running" });
  }, 30_000);

  it("asks what the image asks, as often as the spec says, and nothing where the image asks nothing", async () => {
    const health = { probe: { kind: "image" }, intervalMs: 500, timeoutMs: 0, retries: 0, startPeriodMs: 0 } as const;
    const own = await run({ image: OWN, entrypoint: [], command: undefined, health });
    expect((await own.see())?.engineHealth).toBe("starting");
    await own.sh("touch /well");
    await expect.poll(async () => (await own.see())?.engineHealth, { timeout: 10_000 }).toBe("healthy");
    const none = await run({ health });
    expect((await none.see())?.engineHealth).toBe("none");
  }, 30_000);
});
