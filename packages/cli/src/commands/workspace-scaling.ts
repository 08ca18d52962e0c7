import type { Command } from "commander";
import { UpdateScalingResponseSchema, type UpdateScalingResponse } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { GetContainerMetricsResponseSchema } from "@skep/api/gen/skep/v1/container_service_pb.ts";
import type { Io } from "../io.ts";
import { messageJson, print } from "../output/print.ts";
import { renderFields, renderTable } from "../output/table.ts";
import { scalingWords } from "../output/workspaces.ts";
import { act } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import { wholeNumber } from "../session/whole-number.ts";

interface ScalingOptions {
  readonly enable?: boolean;
  readonly disable?: boolean;
  readonly cpu?: number;
  readonly memory?: number;
  readonly connections?: number;
  readonly messages?: number;
  readonly cooldown?: number;
  readonly most?: number;
  readonly dryRun?: boolean;
}

/** `skep workspace scaling` and `skep workspace metrics`. */
export function setupScaling(workspace: Command, io: Io): void {
  const scaling = workspace
    .command("scaling")
    .summary("Say when a workspace gets more room, or what it would get now.")
    .argument("<id>", "the workspace")
    .option("--enable", "act by the policy")
    .option("--disable", "leave it as it is")
    .option("--cpu <PERCENT>", "more of the host's cpu than this", wholeNumber(100))
    .option("--memory <PERCENT>", "more of its memory than this", wholeNumber(100))
    .option("--connections <N>", "more sockets than this, of each instance", wholeNumber(1_000_000))
    .option("--messages <N>", "more messages a second than this, of each instance", wholeNumber(10_000_000))
    .option("--cooldown <SECONDS>", "how long a change rests", wholeNumber(86_400))
    .option("--most <N>", "most instances", wholeNumber(1_000))
    .option("--dry-run", "say what it would do now and why, and change nothing");
  act(scaling, io, async (session, options: ScalingOptions, workspaceId: string) => {
    const { cpu, memory, connections, messages, cooldown, most, dryRun = false } = options;
    const enabled = options.enable === true ? true : options.disable === true ? false : undefined;
    const answer = await session.api.workspaces.updateScaling({
      ...{ workspaceId, dryRun: dryRun || Object.keys(options).length === 0, idempotencyKey: newKey() },
      ...(enabled === undefined ? {} : { enabled }),
      ...(cooldown === undefined ? {} : { cooldown }),
      ...(most === undefined ? {} : { maxInstances: most }),
      triggers: {
        ...(cpu === undefined ? {} : { cpuUsage: cpu }),
        ...(memory === undefined ? {} : { memoryUsage: memory }),
        ...(connections === undefined ? {} : { connectionCount: connections }),
        ...(messages === undefined ? {} : { messagesPerSecond: messages }),
      },
    });
    print(
      session,
      () => messageJson(UpdateScalingResponseSchema, answer),
      () => render(answer),
    );
  });
  setupMetrics(workspace, io);
}

function setupMetrics(workspace: Command, io: Io): void {
  const metrics = workspace
    .command("metrics")
    .summary("Show what a workspace does at present; no history is kept yet.")
    .argument("<id>", "the workspace");
  act(metrics, io, async (session, _options: object, containerId: string) => {
    const answer = await session.api.containers.getContainerMetrics({ containerId });
    const rows = Object.entries(answer.current).toSorted(([a], [b]) => (a < b ? -1 : 1));
    print(
      session,
      () => messageJson(GetContainerMetricsResponseSchema, answer),
      () =>
        renderTable(
          ["NAME", "VALUE"].map(heading => ({ heading })),
          rows.map(([name, value]) => [name, String(Math.round(value * 100) / 100)]),
        ) +
        answer.notKnown.map(one => `\nNot known: ${one}.`).join("") +
        (answer.notKnown.length > 0 ? "\n" : ""),
    );
  });
}

function render({ policy, instances, because, recorded }: UpdateScalingResponse): string {
  return renderFields([
    ["Policy", policy === undefined ? "" : scalingWords(policy)],
    ["Now", `${instances} ${instances === 1 ? "instance" : "instances"}: ${because}`],
    ["Recorded", recorded ? "yes" : "no"],
  ]);
}
