import { expect, test } from "vitest";
import { sharedWithKernel } from "./ephemeral-ports.ts";

test.each([
  ["32768\t60999\n", undefined],
  ["15000 25000", { from: 20_000, to: 25_000 }],
  ["1024 65535", { from: 20_000, to: 29_999 }],
  ["", undefined],
])("of the ports 20000 to 29999 the kernel's %j share %j", (text, shared) => {
  expect(sharedWithKernel({ from: 20_000, to: 29_999 }, text)).toEqual(shared);
});
