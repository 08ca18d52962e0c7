import { describe, expect, test, vi } from "vitest";
import { run, type Host, type Life } from "./lifecycle.ts";
import { createRecordingLog } from "./log.ts";

describe("The life of a service", () => {
  function aHost() {
    const handlers = new Map<string, (value: unknown) => void>();
    const exits: number[] = [];
    const host: Host = { on: (event, handle) => void handlers.set(event, handle), exit: code => void exits.push(code) };
    return { host, exits, emit: (event: string, value?: unknown) => handlers.get(event)?.(value) };
  }

  test("closes what was opened, last first, when a signal comes, and exits with 0", async () => {
    const { host, exits, emit } = aHost();
    const closed: string[] = [];
    const main = async ({ stack, signal }: Life): Promise<void> => {
      stack.defer(() => void closed.push("first"));
      stack.defer(() => void closed.push("second"));
      expect(signal.aborted).toBe(false);
    };
    const ended = run(main, { log: createRecordingLog(), host });
    await Promise.resolve();
    expect(closed).toEqual([]);
    emit("SIGTERM");
    await ended;
    expect([closed, exits]).toEqual([["second", "first"], [0]]);
  });

  test("exits with 1 and says why when main fails, after closing what was open", async () => {
    const { host, exits } = aHost();
    const log = createRecordingLog();
    const closed: string[] = [];
    await run(
      async ({ stack }) => {
        stack.defer(() => void closed.push("pool"));
        throw new Error("port taken");
      },
      { log, host },
    );
    expect([closed, exits]).toEqual([["pool"], [1]]);
    expect(log.lines.map(line => line.event)).toContain("process.refused");
  });

  test("exits with 70 after an exception that nobody caught", async () => {
    const { host, exits, emit } = aHost();
    const ended = run(() => Promise.resolve(), { log: createRecordingLog(), host });
    emit("unhandledRejection", new Error("bug"));
    await ended;
    expect(exits).toEqual([70]);
  });

  test("leaves without what does not close in time, and at once at the second signal", async () => {
    const { host, exits, emit } = aHost();
    const main = async ({ stack }: Life): Promise<void> => stack.defer(() => new Promise(() => undefined));
    void run(main, { log: createRecordingLog(), host, deadlineMs: 20 });
    emit("SIGINT");
    await vi.waitFor(() => expect(exits).toEqual([1]));
    emit("SIGINT");
    expect(exits).toEqual([1, 1]);
  });

  test("ends when the service asks for it", async () => {
    const { host, exits } = aHost();
    await run(({ stop }) => Promise.resolve(stop()), { log: createRecordingLog(), host });
    expect(exits).toEqual([0]);
  });
});
