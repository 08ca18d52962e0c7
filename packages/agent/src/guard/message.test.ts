import { expect, test } from "vitest";
import { aged, parseMessage } from "./message.ts";

const copies = [{ containerId: "ab".repeat(32), inMs: 5_000 }];

test("a message that waited has the less time left, and one from ahead no more", () => {
  expect(aged({ seq: 1, at: 1_000, copies }, 4_000)).toEqual([{ ...copies[0], inMs: 2_000 }]);
  expect(aged({ seq: 1, at: 9_000, copies }, 4_000)).toEqual(copies);
});

test("only whole messages are taken", () => {
  expect(parseMessage(JSON.stringify({ seq: 1, at: 2, copies }))).toEqual({ seq: 1, at: 2, copies });
  for (const wrong of [
    "null",
    "{",
    '{"seq":1,"at":2}',
    '{"seq":1,"at":2,"copies":[{"containerId":"../x","inMs":1}]}',
    '{"seq":1,"at":2,"copies":[{"containerId":"abababababab","inMs":null}]}',
  ])
    expect(() => parseMessage(wrong), wrong).toThrow();
});
