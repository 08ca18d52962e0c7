import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { Ask } from "@skep/api/codec/ask.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startCommandTest } from "../testing/command.ts";
import type { CommandTest, Outcome } from "../testing/command.ts";

let test: CommandTest;
let wire: Wire;
beforeEach(async () => {
  test = await startCommandTest();
  wire = await layWire(Number(new URL(test.url).port));
});
afterEach(async () => {
  wire.close();
  await test[Symbol.asyncDispose]();
});

/** A way to the platform that can be cut in the middle, as when a scheduler's machine dies. */
interface Wire {
  readonly url: string;
  cut(): void;
  close(): void;
}

async function layWire(to: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer(near => {
    const far = connect(to, "127.0.0.1");
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket.on("error", () => undefined).pipe(other);
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => sockets.forEach(socket => socket.resetAndDestroy());
  const close = (): void => {
    server.close();
    cut();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, close };
}

/** A command that runs until it is told to stop. */
function begin(line: string): { readonly out: () => string; readonly err: () => string; end(): Promise<Outcome> } {
  const aborter = new AbortController();
  let [out, err] = ["", ""];
  const ended = test.skep(line, {
    env: { SKEP_URL: wire.url, HOME: test.folder },
    signal: aborter.signal,
    out: text => void (out += typeof text === "string" ? text : new TextDecoder().decode(text)),
    err: text => void (err += String(text)),
  });
  const end = (): Promise<Outcome> => {
    aborter.abort();
    return ended;
  };
  return { out: () => out, err: () => err, end };
}

const count = (text: string, word: string): number => text.split(word).length - 1;
const outages: readonly (readonly [string, () => void | Promise<void>])[] = [
  ["dies", () => wire.cut()],
  ["is updated", () => test.restart()],
];

describe.each(outages)("when the scheduler it talks to %s", (_, outage) => {
  it("`skep events -f` says so and goes on, and shows each event once", async () => {
    const happen = (sentence: string, agoMs = 0): Promise<unknown> => {
      const of = { tenantId: "default", deploymentId: "default.web", instanceId: undefined, nodeId: undefined };
      const decision = { ...of, at: Date.now() - agoMs, kind: "place", epoch: undefined, sentence };
      return test.platform.store.saveDecisions([decision]);
    };
    await happen("long ago", 600_000);
    const command = begin("events -f");
    let tries = 0;
    await vi.waitFor(
      async () => {
        await happen(`first ${++tries}`);
        expect(command.out()).toContain("first");
      },
      { timeout: 8_000, interval: 200 },
    );
    await outage();
    await happen("meanwhile");
    await vi.waitFor(() => expect(command.out()).toContain("meanwhile"), 8_000);
    await happen("afterwards");
    await vi.waitFor(() => expect(command.out()).toContain("afterwards"), 8_000);
    expect((await command.end()).code).toBe(130);
    const lines = command.out().trimEnd().split("\n");
    expect(new Set(lines).size).toBe(lines.length);
    expect(command.out()).not.toContain("long ago");
    expect(count(command.err(), "skep: the stream broke off")).toBe(1);
  });

  it("`skep logs -f` says so and goes on, and shows each line once", async () => {
    test.write("compose.yaml", "services:\n  web:\n    image: nginx\n");
    await test.skep("deploy");
    const printed: { at: number; text: string }[] = [];
    const print = (text: string, agoMs = 0): void => void printed.push({ at: Date.now() - agoMs, text });
    for (const node of ["node1", "node2"]) test.platform.answer(node, ask => (ask.kind === "logs" ? send(ask) : []));
    const send = (ask: Extract<Ask, { kind: "logs" }>) => {
      const { streamId, instanceId, since = 0, tail = 0 } = ask;
      const lines = printed
        .filter(one => one.at >= since)
        .slice(-tail)
        .map(one => ({ ...one, instanceId, container: "web", stream: "stdout" as const }));
      return [{ kind: "logs" as const, streamId, seq: 0, lines, end: false, dropped: 0 }];
    };
    print("old", 3_000);
    for (const text of ["same", "same"]) print(text, 2_000);
    const command = begin("logs app-web -f --tail 2");
    await vi.waitFor(() => expect(count(command.out(), "same")).toBe(2), 8_000);
    print("meanwhile");
    await outage();
    await vi.waitFor(() => expect(command.out()).toContain("meanwhile"), 8_000);
    expect((await command.end()).code).toBe(130);
    expect(command.out().replaceAll(/.* \| /g, "")).toBe("same\nsame\nmeanwhile\n");
    expect(count(command.err(), "skep: the stream broke off")).toBe(1);
  });
});

it("`skep events -f` fails at once where no platform answers", async () => {
  wire.close();
  const command = begin("events -f");
  await new Promise(resolve => setTimeout(resolve, 300));
  const { code } = await command.end();
  expect(code).toBe(9);
});
