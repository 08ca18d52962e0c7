import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { NetStateSchema, type NetState } from "@skep/api/gen/skep/v1/net_pb.ts";

/** The state that was told last, where it outlives the process, as a port. */
export interface KeptState {
  /** `undefined` where none was kept, or where it cannot be read. */
  read(): Promise<NetState | undefined>;
  /** Keeps it so that a crash leaves the old one or the new one, never half of one. */
  write(state: NetState): Promise<void>;
}

/** Keeps it as a file in `dir`; `onSpoilt` is told where the file is there but cannot be read. */
export function createFileState(dir: string, onSpoilt: (error: unknown) => void): KeptState {
  const path = join(dir, "netd.bin");
  return {
    read: async () => {
      try {
        return fromBinary(NetStateSchema, await readFile(path));
      } catch (error) {
        if ((error as { code?: unknown }).code !== "ENOENT") onSpoilt(error);
        return undefined;
      }
    },
    write: async state => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const fresh = `${path}.new`;
      const file = await open(fresh, "w", 0o600);
      try {
        await file.writeFile(toBinary(NetStateSchema, state));
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
    },
  };
}

/** The twin: it keeps the state as long as the object lives. */
export function createMemoryState(first?: NetState): KeptState {
  let kept = first;
  return {
    read: async () => kept,
    write: async state => {
      kept = state;
    },
  };
}
