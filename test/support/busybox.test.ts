import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { isStaticElf } from "./busybox.ts";

/** The head of a 64-bit little-endian ELF program with one program header of the given type. */
function elf(type: number): Buffer {
  const program = Buffer.alloc(64 + 56);
  program.writeUInt32BE(0x7f454c46, 0);
  program[4] = 2;
  program.writeBigUInt64LE(64n, 32);
  program.writeUInt16LE(56, 54);
  program.writeUInt16LE(1, 56);
  program.writeUInt32LE(type, 64);
  return program;
}

describe("a busybox for images", () => {
  it("is one that asks for no loader", async () => {
    expect(isStaticElf(elf(1))).toBe(true);
    expect(isStaticElf(elf(3))).toBe(false);
    expect(isStaticElf(await readFile(process.execPath))).toBe(false);
  });

  it("is no script and nothing that is cut off", () => {
    expect(isStaticElf(Buffer.from("#!/bin/sh\n".padEnd(100)))).toBe(false);
    expect(isStaticElf(elf(1).subarray(0, 64))).toBe(false);
  });
});
