import type { TenantId } from "@skep/core/model/tenant.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { NewWorkspace, WorkspaceChange, WorkspaceRecord } from "@skep/core/workspace/record.ts";
import type { Page, PageRequest, Request } from "./request.ts";

/** What the API reads and writes of workspaces; epoch and waiting are hosting's to write. */
export interface WorkspaceStore {
  /**
   * @throws SkepError `already_exists` `WORKSPACE_EXISTS` (in any tenant), `failed_precondition`
   * `WORKSPACE_DELETED` (the id's last holder is still being deleted) or `MODE_REFUSED`,
   * `not_found` (tenant), `aborted` (idempotency key used for another request).
   */
  createWorkspace(wanted: NewWorkspace, request: Request, now: number): Promise<WorkspaceRecord>;
  /**
   * @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`, and as core's `changedWorkspace`.
   */
  changeWorkspace(
    id: WorkspaceId,
    change: WorkspaceChange,
    expectVersion: number | undefined,
    request: Request,
    now: number,
  ): Promise<WorkspaceRecord>;
  getWorkspace(id: WorkspaceId): Promise<WorkspaceRecord | undefined>;
  /** By id. */
  listWorkspaces(filter: { readonly tenantId?: TenantId }, page: PageRequest): Promise<Page<WorkspaceRecord>>;
}
