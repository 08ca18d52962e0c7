import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, test } from "vitest";
import { createErrorHandler } from "./error-handler.ts";

test("Failures are counted for a minute by kind, and the latest 50 are kept", async () => {
  const clock = createVirtualClock(1_000);
  const errors = createErrorHandler(clock);
  for (let at = 0; at < 60; at += 1) errors.record(at % 2 === 0 ? "database" : "channel", new Error(`no ${at}`));
  expect(errors.perMinute()).toEqual({ database: 30, channel: 30 });
  expect(errors.last()).toHaveLength(50);
  expect(errors.last()[0]).toEqual({ kind: "channel", message: "no 59", at: 1_000 });
  await clock.advance(60_000);
  expect(errors.perMinute()).toEqual({});
  errors.clear();
  expect(errors.last()).toEqual([]);
});

test("No failure tells whom an address names", () => {
  const errors = createErrorHandler(createVirtualClock());
  errors.record("database", "cannot reach mongodb+srv://me:a%40word@db.example/x or mqtt://token@broker:1883");
  expect(errors.last()[0]?.message).toBe("cannot reach mongodb+srv://***@db.example/x or mqtt://***@broker:1883");
});
