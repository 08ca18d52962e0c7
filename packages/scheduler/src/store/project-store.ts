import type { ProjectPlan, ProjectStep, ProjectWish } from "@skep/core/project/project.ts";
import type { Request } from "./request.ts";

/** Several deployments that are checked and written as one. */
export interface ProjectStore {
  /**
   * What a wish would lead to, and everything that forbids it. Nothing is written.
   * @throws SkepError `not_found` (tenant), `aborted` `STALE_PROJECT` (it is not what the wish is
   * based on).
   */
  previewProject(wish: ProjectWish, now: number): Promise<ProjectPlan>;
  /**
   * Makes the wish true in one transaction, or nothing of it. Two that come at once for one project
   * follow each other: the later one plans on what the earlier one wrote. Under one idempotency key
   * the same wish is answered alike.
   * @throws as `previewProject`; as `refuseProject` with every fault; `aborted` where the key was
   * used for another request.
   */
  applyProject(wish: ProjectWish, request: Request, now: number): Promise<readonly ProjectStep[]>;
}
