import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ExplainPlacementResponseSchema } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { messageJson, print } from "../output/print.ts";
import { renderPlacement } from "../output/placement.ts";
import { moment } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, instanceId } from "../session/names.ts";
import type { Setup } from "./command.ts";

/** `skep explain`. */
export const explain: Setup = (command, io) => {
  examples(command.argument("<name>", "a deployment, or one of its instances (web.7)"), [
    ["skep explain web", "which filter removed which node, and what would help"],
    ["skep explain web.7", "for one instance"],
  ]);
  act(command, io, async (session, _options: object, name: string) => {
    const instance = instanceId(session, name);
    const subject = instance === undefined ? { deploymentId: deploymentId(session, name) } : { instanceId: instance };
    const found = await session.api.deployments.explainPlacement(subject);
    const { unrecovered } = await session.api.platform.getStatus({});
    print(
      session,
      () => messageJson(ExplainPlacementResponseSchema, found),
      () => {
        const placements = found.placements.map(placement => renderPlacement(session, placement)).join("\n");
        const decisions = found.decisions
          .slice(0, 10)
          .map(event => `  ${event.at === undefined ? "" : moment(timestampMs(event.at))}  ${event.sentence}\n`)
          .join("");
        const nothing = "No instance is wanted, so nothing has to be placed.\n";
        const warning = unrecovered === "" ? "" : `${unrecovered}\n\n`;
        return (
          warning +
          (placements === "" ? nothing : placements) +
          (decisions === "" ? "" : `\nDecided lately:\n${decisions}`)
        );
      },
    );
  });
};
