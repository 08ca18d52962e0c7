import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { DEFAULT_EXTENSIONS } from "@skep/core/workspace/file-name.ts";
import { systemClock, type Clock } from "@skep/kit/clock.ts";
import { Bucket, type FileRegion } from "./bucket.ts";
import type { WorkspaceFiles } from "./files.ts";
import type { FileQuota } from "./ledger.ts";
import { Files } from "./workspace-files.ts";

/** What the files of a process stand on. */
export interface FileHostOptions {
  /** At least one; a workspace that names none has its files in the first. */
  readonly regions: readonly FileRegion[];
  readonly clock?: Clock;
  /** Longest wait for the next bytes of an upload, ms. */
  readonly stallMs?: number;
}

/** Whose files they are, and what bounds them. */
export interface FileWorkspace {
  readonly id: WorkspaceId;
  /** Names of regions; each file is in all of them. */
  readonly regions?: readonly string[];
  readonly quota?: FileQuota;
  /** In lower case, without their dot. */
  readonly extensions?: readonly string[];
  /** Called once they are closed. */
  readonly onClosed?: () => void;
}

/** The files of all workspaces of a process, which share one client for each region. */
export interface FileHost {
  /**
   * Opens the files of a workspace: counts them, and deletes parts of uploads that broke off.
   * @throws SkepError where no region answers, or it names one that is not there.
   */
  open(workspace: FileWorkspace): Promise<WorkspaceFiles>;
  /**
   * The same for who can do without files for now. Where no region answers within seconds they are
   * away, calls say so (`FILES_AWAY`), and it is tried again until they are there.
   */
  openSoon(workspace: FileWorkspace): Promise<WorkspaceFiles>;
  /** Closes what is open, and the clients. */
  close(): Promise<void>;
}

/** What a workspace that says nothing may keep. */
export const DEFAULT_QUOTA: FileQuota = { bytes: 1024 ** 3, files: 10_000 };
const STALL_MS = 60_000;

/** Makes one. */
export function createFileHost(options: FileHostOptions): FileHost {
  const { clock = systemClock, stallMs = STALL_MS } = options;
  const buckets = new Map(options.regions.map(region => [region.name, new Bucket(region, clock)]));
  const open = new Set<WorkspaceFiles>();
  const [standard = ""] = buckets.keys();
  if (standard === "") {
    throw new SkepError("invalid_argument", "NO_FILE_REGION", "No region for files is named. Name at least one.");
  }

  function bucketOf(name: string): Bucket {
    const bucket = buckets.get(name);
    if (bucket !== undefined) return bucket;
    const text = `There is no region ${name} for files. Use one of ${[...buckets.keys()].join(", ")}.`;
    throw new SkepError("invalid_argument", "NO_FILE_REGION", text);
  }

  async function opened(workspace: FileWorkspace, begin: (files: Files) => Promise<void>): Promise<WorkspaceFiles> {
    const { id, quota = DEFAULT_QUOTA, extensions = DEFAULT_EXTENSIONS, regions = [standard] } = workspace;
    const names = regions.length === 0 ? [standard] : [...new Set(regions)];
    const onClosed = (): void => {
      open.delete(files);
      workspace.onClosed?.();
    };
    const files = new Files({ id, quota, extensions, clock, stallMs, onClosed, buckets: names.map(bucketOf) });
    await begin(files);
    open.add(files);
    return files;
  }

  return {
    open: workspace => opened(workspace, files => files.begin()),
    openSoon: workspace => opened(workspace, files => files.beginSoon()),
    close: async () => {
      await Promise.all([...open].map(files => files.close()));
      open.clear();
      for (const bucket of buckets.values()) bucket.close();
    },
  };
}
