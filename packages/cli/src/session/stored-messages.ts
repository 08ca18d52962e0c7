import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Message } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import type { Session } from "./open.ts";

/** Which messages of a workspace. */
export interface StoredFilter {
  readonly device?: string;
  readonly category?: string;
  readonly type?: string;
  /** ms from now back. */
  readonly since?: number;
  /** The latest ones, so many at most. */
  readonly most: number;
}

const PAGE = 1_000;

/** The latest messages that are stored, the oldest of them first. */
export async function storedMessages(
  session: Session,
  workspaceId: string,
  { device: deviceId = "", category = "", type = "", since, most }: StoredFilter,
): Promise<readonly Message[]> {
  const from = since === undefined ? {} : { from: timestampFromMs(session.io.now() - since) };
  const found: Message[] = [];
  let pageToken = "";
  while (found.length < most) {
    const pageSize = Math.min(PAGE, most - found.length);
    const request = { workspaceId, deviceId, category, type, pageSize, pageToken, ...from };
    const page = await session.api.messages.listMessages(request);
    found.push(...page.messages);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return found.toReversed();
}
