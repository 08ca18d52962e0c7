import { create } from "@bufbuild/protobuf";
import { specToProto } from "@skep/api/codec/spec.ts";
import { PreviewPlacementResponseSchema } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { renderPlacement } from "../output/placement.ts";
import { messageJson, print } from "../output/print.ts";
import { act, examples } from "../session/act.ts";
import { composeOptions } from "../session/compose-file.ts";
import type { ComposeOptions } from "../session/compose-file.ts";
import { readForPlatform } from "../session/platform-limits.ts";
import type { Setup } from "./command.ts";

/** `skep preview`. */
export const preview: Setup = (command, io) => {
  composeOptions(command);
  examples(command, [
    ["skep preview -f compose.yaml", "which node each instance would get now"],
    ["skep preview -f - < compose.yaml", "from standard input"],
  ]);
  act(command, io, async (session, options: ComposeOptions, services: readonly string[]) => {
    const { deployments: specs } = await readForPlatform(session, services, options, 0);
    const found = await Promise.all(
      specs.map(async spec => {
        const message = create(DeploymentSpecSchema, specToProto(spec));
        const answer = await session.api.deployments.previewPlacement({ tenantId: session.tenant, spec: message });
        return { name: spec.name, answer };
      }),
    );
    print(
      session,
      () =>
        found.map(({ name, answer }) => ({
          name,
          ...(messageJson(PreviewPlacementResponseSchema, answer) as object),
        })),
      () =>
        found
          .map(({ name, answer }) => `${name}\n${answer.placements.map(one => renderPlacement(session, one)).join("")}`)
          .join("\n"),
    );
  });
};
