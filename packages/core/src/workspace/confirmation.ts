import { isName } from "../model/validate-rules.ts";
import type { WorkspaceId } from "./connector.ts";

/** What a host tells gates, by topics of the broker where it reads. */
export type Confirmation =
  /** Messages of the workspace are stored. */
  | "stored"
  /** The broker had no session of the workspace: nobody has what was published before. */
  | "begun";

/** No id of a workspace begins so: no device gets here. */
const ROOT = "_skep";

/** Where a host tells it. */
export function confirmationTopic(kind: Confirmation, workspaceId: WorkspaceId): string {
  return `${ROOT}/${kind}/${workspaceId}`;
}

/** What a gate subscribes to. */
export const CONFIRMATION_FILTERS: readonly string[] = [`${ROOT}/stored/+`, `${ROOT}/begun/+`];

/** Takes such a topic apart; `undefined` for any other. */
export function readConfirmationTopic(
  topic: string,
): { readonly kind: Confirmation; readonly workspaceId: WorkspaceId } | undefined {
  const [root, kind, workspaceId = "", ...more] = topic.split("/");
  if (root !== ROOT || more.length > 0 || !isName(workspaceId)) return undefined;
  return kind === "stored" || kind === "begun" ? { kind, workspaceId } : undefined;
}
