import type { JsonObject } from "@bufbuild/protobuf";
import type { ProjectStep } from "@skep/core/project/project.ts";
import { projectChanges } from "../words.ts";
import { deploymentAnswer, type AnswerCodec } from "./answer.ts";
import { listOf, malformed, objectOf, STORED_VERSION } from "./version.ts";

const WHAT = "An answer that was given before";

/** Answers that say what became of a project's deployments. */
export const projectAnswer: AnswerCodec<readonly ProjectStep[]> = {
  encode: steps => ({
    version: STORED_VERSION,
    steps: steps.map(({ change, differences, record }): JsonObject => ({
      change: projectChanges.toProto(change),
      differences: differences.map(({ path, before, after }) => ({
        path,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      })),
      record: deploymentAnswer.encode(record),
    })),
  }),
  decode: json =>
    listOf(objectOf(json, WHAT)["steps"], WHAT).map(one => {
      const { change, differences, record } = objectOf(one, WHAT);
      if (typeof change !== "number") throw malformed(WHAT, "it does not say what became of a deployment");
      return {
        change: projectChanges.fromProto(change, "change"),
        differences: listOf(differences, WHAT).map(difference => {
          const { path, before, after } = objectOf(difference, WHAT);
          const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
          return { path: text(path) ?? "", before: text(before), after: text(after) };
        }),
        record: deploymentAnswer.decode(record),
      };
    }),
};
