import { beforeAll, describe, expect, test } from "vitest";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import { aContainer, anInstance, aSpec } from "../testing/builders.ts";
import type { EngineUnderTest } from "./engine-under-test.ts";
import type { Engine } from "./engine.ts";

/** What the suite takes from the one that it is part of. */
interface Setting {
  readonly under: () => EngineUnderTest;
  see(containerId: string): Promise<ObservedContainer | undefined>;
  codeOf(promise: Promise<unknown>): Promise<string>;
  /** Makes a container on a bridge that publishes this port. */
  publish(hostPort: number): Promise<string>;
  nextSerial(): number;
}

/** What engines do for instances that netd connects. */
export function describeSandboxes({ under, see, codeOf, publish, nextSerial }: Setting): void {
  describe("sandboxes on netd's network", () => {
    let engine: Engine;
    beforeAll(() => ({ engine } = under()));
    const within = <T>(promise: Promise<T>): Promise<T> => under().within(promise);

    const image = (): { image: string; specHash: string } => ({ image: under().image, specHash: "plain" });
    const warm = async (): Promise<string> => {
      const id = await within(engine.createWarm(image()));
      await within(engine.start(id));
      return id;
    };
    const ready = async (id: string) => (await within(engine.observe())).warm?.find(one => one.id === id);
    const onNetd = () => {
      const container = aContainer({ image: under().image, command: ["sleep", "600"] });
      const ports = [{ container: "app", containerPort: 80, protocol: "tcp" as const, hostPort: under().ports[1] }];
      const over = { instanceId: `acme.web.${nextSerial()}`, epoch: 3, release: 7, ports };
      return { container, instance: anInstance({ ...over, spec: aSpec({ containers: [container] }) }) };
    };

    test("one that was made ahead is nobody's until an instance takes it, for good", async () => {
      const made = await within(engine.createWarm(image()));
      expect(await ready(made)).toEqual({ id: made, specHash: "plain", isRunning: false });
      await within(engine.start(made));
      expect(await ready(made)).toEqual({ id: made, specHash: "plain", isRunning: true });
      expect(await see(made)).toBeUndefined();
      const { instance } = onNetd();
      await within(engine.takeSandbox(made, instance));
      expect(await ready(made)).toBeUndefined();
      const { instanceId } = instance;
      expect(await see(made)).toMatchObject({
        ...{ instanceId, tenantId: "acme", deploymentId: "acme.web", epoch: 3, release: 7, specHash: "plain" },
        ...{ role: "sandbox", name: "", state: "running", isExclusive: false, isDetached: false, ports: [] },
      });
      const other = await warm();
      expect(await codeOf(engine.takeSandbox(other, instance))).toBe("conflict");
      expect(await ready(other)).toBeDefined();
      await within(engine.remove(other));
      expect(await ready(other)).toBeUndefined();
      expect(await codeOf(engine.takeSandbox(other, onNetd().instance))).toBe("not_found");
    });

    test("one that was made for its instance is the same, also where the answer got lost", async () => {
      const { instance } = onNetd();
      const request = { ...image(), instance, network: "netd" as const };
      const id = await within(engine.createSandbox(request));
      expect(await within(engine.createSandbox(request))).toBe(id);
      expect(await see(id)).toMatchObject({ instanceId: instance.instanceId, state: "created", role: "sandbox" });
      expect((await see(id))?.netns).toBeUndefined();
    });

    test("its network can be opened while it runs, and each run has another one", async () => {
      const id = await warm();
      await within(engine.takeSandbox(id, onNetd().instance));
      const first = (await see(id))?.netns;
      expect(first).toMatch(/^\/run\/docker\/netns\/[0-9a-f]{12}$/);
      await within(engine.stop(id, 1));
      expect((await see(id))?.netns).toBeUndefined();
      await within(engine.start(id));
      expect((await see(id))?.netns).toMatch(/^\/run\/docker\/netns\/[0-9a-f]{12}$/);
      expect((await see(id))?.netns).not.toBe(first);
    });

    test("a container joins it, opens no port of the node, asks netd for names, and outlives its restart", async () => {
      const sandboxId = await warm();
      const { instance, container } = onNetd();
      await within(engine.takeSandbox(sandboxId, instance));
      const request = { instance, container, specHash: "h1", sandboxId, network: "netd" as const };
      const id = await within(engine.createContainer(request));
      await within(engine.start(id));
      expect(await see(id)).toMatchObject({ state: "running", ports: instance.ports, netns: undefined });
      const resolvers = await under().resolvConf?.(id);
      if (resolvers !== undefined)
        expect(resolvers.match(/^(nameserver|search).*$/gm)).toEqual(["nameserver 169.254.1.1"]);
      const taken = await publish(under().ports[1]);
      await within(engine.start(taken));
      await within(Promise.all([engine.stop(id, 1), engine.stop(sandboxId, 1)]));
      expect(await codeOf(engine.start(id))).not.toBe("done");
      await within(engine.start(sandboxId));
      await within(engine.start(id));
      expect(await see(id)).toMatchObject({ state: "running" });
      await within(engine.remove(taken));
    });
  });
}
