import { describe, expect, test } from "vitest";
import { createLog, createRecordingLog } from "./log.ts";

describe("A log", () => {
  function lines(level: "debug" | "info" = "info") {
    const written: string[] = [];
    const log = createLog({ level, fields: { service: "test" }, write: line => written.push(line) });
    return { log, written, parsed: () => written.map(line => JSON.parse(line) as Record<string, unknown>) };
  }

  test("writes one JSON object per line, with event, sentence and the fields of all its parents", () => {
    const { log, parsed } = lines();
    log.child({ nodeId: "n1" }).info("instance.started", "The instance runs.", { durationMs: 5 });
    log.debug("unsaid.thing", "This is not said.");
    expect(parsed()).toHaveLength(1);
    expect(parsed()[0]).toMatchObject({
      level: "info",
      event: "instance.started",
      sentence: "The instance runs.",
      service: "test",
      nodeId: "n1",
      durationMs: 5,
    });
  });

  test("blanks secrets at any depth, in URLs, and in errors with their causes", () => {
    const { log, written } = lines();
    log.error("request.failed", "It failed.", {
      config: { natsPassword: "hunter2", list: [{ apiToken: "hunter2" }], url: "nats://user:hunter2@nats:4222" },
      headers: { Authorization: "Bearer hunter2" },
      error: new Error("no route to postgres://skep:hunter2@db", { cause: new Error("tcp://a:hunter2@b") }),
    });
    expect(written.join()).not.toContain("hunter2");
    expect(written.join()).toContain("nats://***@nats:4222");
  });

  test("its twin keeps the lines", () => {
    const log = createRecordingLog();
    log.child({ nodeId: "n1" }).warn("node.silent", "Nothing was heard.", { silentMs: 3_000 });
    expect(log.lines).toEqual([
      {
        level: "warn",
        event: "node.silent",
        sentence: "Nothing was heard.",
        fields: { nodeId: "n1", silentMs: 3_000 },
      },
    ]);
  });
});
