import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { EventSchema } from "@skep/api/gen/skep/v1/event_pb.ts";
import type { Event } from "@skep/api/gen/skep/v1/event_pb.ts";
import type { WatchEventsResponse } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { colour } from "../output/colour.ts";
import { messageJson } from "../output/print.ts";
import { moment } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { parseAge } from "../session/age.ts";
import { deploymentId } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { Shown } from "../session/shown.ts";
import { follow, untilInterrupted } from "../session/stream.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly follow?: boolean;
  readonly allTenants?: boolean;
  readonly node?: string;
  readonly since?: number;
}

/** `skep events`. */
export const events: Setup = (command, io) => {
  command
    .argument("[name]", "only this deployment's")
    .option("-f, --follow", "go on with what happens from now on")
    .option("-A, --all-tenants", "those of every tenant, and of the nodes")
    .option("--node <NODE>", "only those of this node")
    .option("--since <AGE>", "only as old as this, like 90s, 10m or 2h", parseAge);
  examples(command, [
    ["skep events", "what was decided lately, and why"],
    ["skep events web -f", "what happens to one deployment"],
    ["skep events -A --since 10m -o json", "one JSON object per line"],
  ]);
  act(command, io, async (session, options: Options, name: string | undefined) => {
    const from = io.now() - (options.since ?? 0);
    const request = {
      tenantId: options.allTenants === true || name !== undefined ? "" : session.tenant,
      deploymentId: name === undefined ? "" : deploymentId(session, name),
      nodeId: options.node ?? "",
      follow: options.follow === true,
      ...(options.since === undefined ? {} : { since: timestampFromMs(from) }),
    };
    const shown = new Shown();
    let latest: Event | undefined;
    const show = (page: WatchEventsResponse): void => {
      for (const event of page.events) {
        latest = event;
        const text = JSON.stringify(messageJson(EventSchema, event));
        if (shown.isNew(event.at === undefined ? from : timestampMs(event.at), text))
          io.out(session.json ? `${text}\n` : renderEvent(session, event));
      }
    };
    const open = (again: boolean, signal: AbortSignal): AsyncIterable<WatchEventsResponse> => {
      const rest = again ? { since: timestampFromMs(shown.again(from) ?? from) } : {};
      return session.api.platform.watchEvents({ ...request, ...rest }, { signal });
    };
    if (request.follow) return await follow(io, open, show);
    await untilInterrupted(io, open(false, io.signal), show);
    // What is removed keeps its events for a while: only a name without any may be a slip.
    if (name !== undefined && latest === undefined && !io.signal.aborted)
      await session.api.deployments.getDeployment({ deploymentId: request.deploymentId });
    if (latest === undefined && !session.json) io.err("Nothing of that kind happened in that time.\n");
  });
};

function renderEvent({ io }: Session, event: Event): string {
  const subject = event.instanceId || event.deploymentId || event.nodeId;
  const at = event.at === undefined ? "" : moment(timestampMs(event.at));
  return `${colour(io, "faint", at)}  ${event.kind.padEnd(16)}  ${subject.padEnd(20)}  ${event.sentence}\n`;
}
