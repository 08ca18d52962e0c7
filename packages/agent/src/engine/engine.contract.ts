import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import { aContainer, anInstance, aSpec } from "../testing/builders.ts";
import type { EngineUnderTest } from "./engine-under-test.ts";
import { describeSandboxes } from "./sandbox.contract.ts";
import type { Engine, EngineEvent, LogLine } from "./engine.ts";
import { engineErrorCode } from "./errors.ts";

interface Ran {
  stdout: string;
  stderr: string;
  code: number;
}

/** The contract of the Engine port: the twin and the real engine both pass it. */
export function engineContract(name: string, open: () => Promise<EngineUnderTest>): void {
  describe(`the engine contract: ${name}`, () => {
    let under: EngineUnderTest;
    let engine: Engine;
    beforeAll(async () => {
      under = await open();
      engine = under.engine;
    }, 120_000);
    afterAll(async () => {
      await under?.close();
    }, 60_000);

    let serial = 0;
    async function make(
      command: readonly string[],
      over: { tenantId?: string; hostPort?: number } = {},
    ): Promise<string> {
      const tenantId = over.tenantId ?? "acme";
      const container = aContainer({ image: under.image, command });
      const ports =
        over.hostPort === undefined
          ? []
          : [{ container: "app", containerPort: 80, protocol: "tcp" as const, hostPort: over.hostPort }];
      const instance = anInstance({
        instanceId: `${tenantId}.web.${++serial}`,
        tenantId,
        ports,
        spec: aSpec({ containers: [container] }),
      });
      await under.within(engine.createNetwork(tenantId));
      return under.within(engine.createContainer({ instance, container, specHash: "h1", sandboxId: undefined }));
    }
    async function see(containerId: string): Promise<ObservedContainer | undefined> {
      return (await under.within(engine.observe())).containers.find(container => container.id === containerId);
    }
    async function codeOf(promise: Promise<unknown>): Promise<string> {
      return under.within(promise.then(() => "done", engineErrorCode));
    }
    async function linesOf(containerId: string, follow: boolean): Promise<string[]> {
      const texts: string[] = [];
      const read = async (): Promise<void> => {
        for await (const line of engine.logs(
          containerId,
          { follow, tail: undefined, sinceAt: undefined },
          AbortSignal.timeout(20_000),
        )) {
          texts.push(line.text);
        }
      };
      await under.within(read());
      return texts;
    }
    async function until(holds: () => Promise<boolean>): Promise<void> {
      for (let tries = 0; tries < 100; tries++) {
        if (await holds()) return;
        await under.within(new Promise(resolve => setTimeout(resolve, 50)));
      }
      throw new Error("what was waited for did not come about");
    }

    test("says what the node has", async () => {
      const facts = await under.within(engine.facts());
      expect(facts.cores).toBeGreaterThan(0);
      expect(facts.memoryBytes).toBeGreaterThan(0);
      expect(facts.hostname).not.toBe("");
      expect(facts.startIdentity).not.toBe("");
    });

    test("lists a container from its creation to its removal with what it was made from", async () => {
      const id = await make(["sleep", "600"], { hostPort: under.ports[0] });
      expect(await see(id)).toMatchObject({
        state: "created",
        instanceId: `acme.web.${serial}`,
        tenantId: "acme",
        deploymentId: "acme.web",
        epoch: 1,
        release: 1,
        name: "app",
        role: "app",
        specHash: "h1",
        startedAt: undefined,
        exitCode: undefined,
        ports: [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: under.ports[0] }],
      });
      await under.within(engine.start(id));
      const running = await see(id);
      expect(running).toMatchObject({ state: "running", exitCode: undefined, engineHealth: "none" });
      expect(running?.startedAt).toBeGreaterThanOrEqual(running?.createdAt ?? Infinity);
      await under.within(engine.stop(id, 1_000));
      const stopped = await see(id);
      expect(stopped?.state).toBe("exited");
      expect(stopped?.exitCode).toBeGreaterThan(0);
      expect(stopped?.finishedAt).toBeDefined();
      await under.within(engine.remove(id));
      expect(await see(id)).toBeUndefined();
    });

    test("calls no container detached that nobody disconnected, from the moment it is listed", async () => {
      const seen = new Set<string>();
      let isOver = false;
      async function look(): Promise<void> {
        while (!isOver) {
          for (const one of (await under.within(engine.observe())).containers)
            seen.add(`${one.state} ${one.isDetached}`);
          await under.within(new Promise(resolve => setTimeout(resolve, 2)));
        }
      }
      async function live(): Promise<void> {
        const id = await make(["sleep", "600"]);
        await under.within(engine.start(id));
        await under.within(engine.stop(id, 1));
        await under.within(engine.remove(id));
      }
      const looking = look();
      for (let round = 0; round < 3; round++) await Promise.all([live(), live(), live()]);
      isOver = true;
      await looking;
      expect([...seen].filter(one => one.endsWith("true"))).toEqual([]);
    });

    describeSandboxes({
      under: () => under,
      see,
      codeOf,
      publish: hostPort => make(["sleep", "600"], { hostPort }),
      nextSerial: () => ++serial,
    });

    test("a verb whose state already holds succeeds", async () => {
      const id = await make(["sleep", "600"]);
      await under.within(engine.start(id));
      await under.within(engine.start(id));
      await under.within(engine.stop(id, 1_000));
      await under.within(engine.stop(id, 1_000));
      await under.within(engine.remove(id));
      await under.within(engine.remove(id));
      await under.within(engine.removeNetwork("skep-nobody"));
    });

    test("a stop with a short grace ends what a longer one still waits for", async () => {
      const id = await make(["sleep", "600"]);
      await under.within(engine.start(id));
      const patient = engine.stop(id, 60_000);
      await under.within(engine.stop(id, 1_000));
      expect((await see(id))?.state).toBe("exited");
      await under.within(patient);
    });

    test("creating the same container twice gives the same one", async () => {
      const first = await make(["sleep", "600"]);
      serial--;
      expect(await make(["sleep", "600"])).toBe(first);
      await under.within(engine.remove(first));
    });

    test("shows how a program that ended by itself ended, and what it printed", async () => {
      const id = await make(["sh", "-c", "echo hello; exit 3"]);
      await under.within(engine.start(id));
      await until(async () => (await see(id))?.state === "exited");
      expect((await see(id))?.exitCode).toBe(3);
      expect(await linesOf(id, false)).toEqual(["hello"]);
      await under.within(engine.remove(id));
    });

    test("following the output ends with the container", async () => {
      const id = await make(["sh", "-c", "echo hello; sleep 1; exit 0"]);
      await under.within(engine.start(id));
      expect(await linesOf(id, true)).toEqual(["hello"]);
      await under.within(engine.remove(id));
    });

    async function exec(containerId: string, argv: readonly string[], input = ""): Promise<Ran> {
      const ran = { stdout: "", stderr: "", code: -1 };
      const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
      const read = async (): Promise<void> => {
        const request = { argv, stdin: new TextEncoder().encode(input) };
        for await (const event of engine.exec(containerId, request, AbortSignal.timeout(20_000))) {
          if (event.kind === "exit") ran.code = event.code;
          else ran[event.stream] += decoders[event.stream].decode(event.data, { stream: true });
        }
      };
      await under.within(read());
      return ran;
    }

    test("a command's output comes apart by its stream, its input is read to its end, and its exit code is its own", async () => {
      const id = await make(["sleep", "600"]);
      await under.within(engine.start(id));
      expect(await exec(id, ["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
        stdout: "out\n",
        stderr: "err\n",
        code: 3,
      });
      const input = "a line\n".repeat(20_000);
      expect(await exec(id, ["cat"], input)).toEqual({ stdout: input, stderr: "", code: 0 });
      expect(await exec(id, ["true"])).toEqual({ stdout: "", stderr: "", code: 0 });
      expect(await exec(id, ["sh", "-c", "exit 127"])).toMatchObject({ code: 127 });
      expect((await see(id))?.state).toBe("running");
      await under.within(engine.remove(id));
    });

    test("a command whose program is not in the container is refused in the engine's words", async () => {
      const id = await make(["sleep", "600"]);
      expect(await codeOf(exec(id, ["true"]))).toBe("conflict");
      await under.within(engine.start(id));
      const failure = await exec(id, ["no-such-program", "x"]).catch((error: unknown) => error);
      expect(engineErrorCode(failure)).toBe("not_runnable");
      expect(String(failure)).toMatch(/no-such-program.*not found/);
      await under.within(engine.remove(id));
      expect(await codeOf(exec(id, ["true"]))).toBe("not_found");
    });

    test("a command that goes on is read no longer than it is wanted", async () => {
      const id = await make(["sleep", "600"]);
      await under.within(engine.start(id));
      const stopping = new AbortController();
      const events: string[] = [];
      const read = async (): Promise<void> => {
        const request = { argv: ["sh", "-c", "echo out; sleep 600"], stdin: new Uint8Array() };
        for await (const event of engine.exec(id, request, stopping.signal)) {
          events.push(event.kind);
          setTimeout(() => stopping.abort(), 20);
        }
      };
      await under.within(read());
      expect(events).toEqual(["output"]);
      await under.within(engine.remove(id));
    });

    test("a later start forgets how the container ended before", async () => {
      const id = await make(["sh", "-c", "sleep 2; exit 3"]);
      await under.within(engine.start(id));
      await until(async () => (await see(id))?.state === "exited");
      const first = await see(id);
      await under.within(engine.start(id));
      const second = await see(id);
      expect(second).toMatchObject({ state: "running", exitCode: undefined });
      expect(second?.startedAt).toBeGreaterThan(first?.startedAt ?? Infinity);
      await under.within(engine.remove(id));
    });

    test("says in its hints that a container died and which", async () => {
      const hints: EngineEvent[] = [];
      const subscription = engine.events(event => hints.push(event));
      await until(async () => {
        const id = await make(["sleep", "600"]);
        await under.within(engine.start(id));
        await under.removeOutside(id);
        await under.within(new Promise(resolve => setTimeout(resolve, 100)));
        return hints.some(
          event => event.containerId === id && event.action === "die" && event.instanceId === `acme.web.${serial}`,
        );
      });
      subscription.close();
    });

    test("a look that is taken because of a container's end shows that end", async () => {
      const id = await make(["sh", "-c", "sleep 1; exit 3"]);
      const looked = Promise.withResolvers<ObservedContainer | undefined>();
      const subscription = engine.events(event => {
        if (event.containerId === id && event.action === "die") {
          void engine.observe().then(({ containers }) => looked.resolve(containers.find(one => one.id === id)));
        }
      });
      await under.within(engine.start(id));
      expect(await under.within(looked.promise)).toMatchObject({ state: "exited", exitCode: 3 });
      subscription.close();
      await under.within(engine.remove(id));
    });

    test("the host port of a running container is not given to a second one", async () => {
      const first = await make(["sleep", "600"], { hostPort: under.ports[1] });
      await under.within(engine.start(first));
      const second = await make(["sleep", "600"], { hostPort: under.ports[1] });
      expect(await codeOf(engine.start(second))).toBe("port_taken");
      await under.within(engine.remove(first));
      await under.within(engine.start(second));
      await under.within(engine.remove(second));
    });

    test("a pod's containers share the sandbox's address, and one that starts before it is refused", async () => {
      const container = aContainer({ image: under.image, command: ["sleep", "600"] });
      const instance = anInstance({
        instanceId: `acme.pod.${++serial}`,
        spec: aSpec({ name: "pod", containers: [container] }),
      });
      await under.within(engine.createNetwork("acme"));
      const sandbox = await under.within(engine.createSandbox({ instance, image: under.image, specHash: "s" }));
      const id = await under.within(engine.createContainer({ instance, container, specHash: "h", sandboxId: sandbox }));
      expect((await see(sandbox))?.role).toBe("sandbox");
      expect(await codeOf(engine.start(id))).not.toBe("done");
      await under.within(engine.start(sandbox));
      await under.within(engine.start(id));
      expect((await see(id))?.state).toBe("running");
      await under.within(engine.remove(id));
      await under.within(engine.remove(sandbox));
    });

    test("an image that is not there is named in the refusal", async () => {
      const container = aContainer({ image: under.unknownImage });
      const instance = anInstance({ instanceId: `acme.web.${++serial}`, spec: aSpec({ containers: [container] }) });
      expect(await codeOf(engine.createContainer({ instance, container, specHash: "h", sandboxId: undefined }))).toBe(
        "not_found",
      );
    });

    test("a call about a container that does not exist says so", async () => {
      expect(await codeOf(engine.start("f".repeat(64)))).toBe("not_found");
      const read = async (): Promise<LogLine[]> => {
        const lines: LogLine[] = [];
        const request = { follow: false, tail: 1, sinceAt: undefined };
        for await (const line of engine.logs("f".repeat(64), request, AbortSignal.timeout(5_000))) lines.push(line);
        return lines;
      };
      expect(await codeOf(read())).toBe("not_found");
    });

    test("a volume outlives its containers, is listed with what it holds, and goes when nobody has it", async () => {
      const container = aContainer({
        image: under.image,
        volumes: [{ name: "data", target: "/data", readOnly: false }],
      });
      const spec = aSpec({ name: "vol", containers: [container] });
      const volumes = [{ owner: "acme.vol", name: "data", serial: 7 }];
      const instance = anInstance({ instanceId: `acme.vol.${++serial}`, spec, volumes });
      await under.within(engine.createNetwork("acme"));
      const make = (): Promise<string> =>
        under.within(engine.createContainer({ instance, container, specHash: "h", sandboxId: undefined }));
      const seen = async (): Promise<readonly unknown[]> =>
        (await under.within(engine.observe())).volumes.filter(one => one.owner === "acme.vol");
      const id = await make();
      const engineName = "skep-acme.vol.data.7";
      const volume = { engineName, tenantId: "acme", owner: "acme.vol", name: "data", serial: 7 };
      expect(await seen()).toEqual([volume]);
      const { containers } = await under.within(engine.observe());
      expect(containers.find(one => one.id === id)?.mounts).toEqual([engineName]);
      expect(await codeOf(engine.removeVolume(engineName))).toBe("conflict");
      await under.within(engine.remove(id));
      expect(await seen()).toEqual([volume]);
      await under.within(engine.removeVolume(engineName));
      await under.within(engine.removeVolume(engineName));
      expect(await seen()).toEqual([]);
    });

    test("each tenant has one network, which goes when nobody uses it", async () => {
      const id = await make(["sleep", "600"], { tenantId: "other" });
      await under.within(engine.createNetwork("other"));
      await under.within(engine.start(id));
      const names = (await under.within(engine.observe())).networks.filter(network => network.tenantId === "other");
      expect(names.map(network => network.name)).toEqual(["skep-other"]);
      expect(await codeOf(engine.removeNetwork("skep-other"))).toBe("conflict");
      await under.within(engine.remove(id));
      await under.within(engine.removeNetwork("skep-other"));
      expect((await under.within(engine.observe())).networks.some(network => network.tenantId === "other")).toBe(false);
    });
  });
}
