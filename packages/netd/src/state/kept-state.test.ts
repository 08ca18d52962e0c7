import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { NetStateSchema } from "@skep/api/gen/skep/v1/net_pb.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { message } from "../testing/states.ts";
import { createFileState, createMemoryState } from "./kept-state.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "skep-netd-"))));
afterEach(() => rm(dir, { recursive: true }));

describe.each([
  ["a file", () => createFileState(join(dir, "state"), vi.fn())],
  ["memory", () => createMemoryState()],
])("what is kept in %s", (_, open) => {
  it("is what was written last", async () => {
    const kept = open();
    expect(await kept.read()).toBeUndefined();
    await kept.write(message());
    await kept.write(message({ revision: 2n }));
    expect(create(NetStateSchema, await kept.read())).toEqual(message({ revision: 2n }));
  });
});

describe("the file", () => {
  it("is read by nobody else on the node", async () => {
    await createFileState(join(dir, "state"), vi.fn()).write(message());
    expect((await stat(join(dir, "state/netd.bin"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, "state"))).mode & 0o777).toBe(0o700);
  });

  it("counts as none where it is spoilt, and is named", async () => {
    const onSpoilt = vi.fn();
    await writeFile(join(dir, "netd.bin"), "spoilt");
    expect(await createFileState(dir, onSpoilt).read()).toBeUndefined();
    expect(onSpoilt).toHaveBeenCalledOnce();
  });
});
