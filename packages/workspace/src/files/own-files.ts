import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { fileStoreIssues, type FileStore } from "@skep/core/workspace/file-store.ts";
import { SkepError } from "@skep/core/error.ts";
import { guardedLookup, type Resolve } from "../guarded-lookup.ts";
import { createFileHost } from "./file-host.ts";
import type { WorkspaceFiles } from "./files.ts";

/**
 * Opens the files of a workspace in an S3 server of the tenant's own. Where it leads is judged
 * again, and so is each address that its name resolves to. Links lead to that server.
 * @throws SkepError `failed_precondition` `FILE_STORE_REFUSED`.
 */
export async function openOwnFiles(
  id: WorkspaceId,
  store: FileStore,
  allowedHosts: readonly string[],
  resolve?: Resolve,
): Promise<WorkspaceFiles> {
  const [wrong] = fileStoreIssues(store, allowedHosts);
  if (wrong !== undefined)
    throw new SkepError(
      "failed_precondition",
      "FILE_STORE_REFUSED",
      `The S3 server of workspace ${id} may not be used: ${wrong.problem}; ${wrong.advice}.`,
    );
  const { url: endpoint, region: s3Region, bucket, accessKey: accessKeyId, secretKey: secretAccessKey } = store;
  const region = { name: "own", endpoint, s3Region, bucket, accessKeyId, secretAccessKey };
  const host = createFileHost({ regions: [{ ...region, lookup: guardedLookup(allowedHosts, resolve) }] });
  return await host.openSoon({ id, onClosed: () => void host.close() });
}
