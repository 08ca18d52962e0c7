import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Health, InstanceDesired, InstanceState } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { Instance } from "@skep/api/gen/skep/v1/instance_pb.ts";
import { colourState } from "./colour.ts";
import { enumWord } from "./enum-word.ts";
import { renderTable } from "./table.ts";
import { shortName } from "./view.ts";
import type { View } from "./view.ts";
import { duration } from "./words.ts";

/** Instances as a table; the last column says what each waits for. */
export function renderInstances(view: View, instances: readonly Instance[]): string {
  const { io } = view;
  const rows = instances.map(instance => {
    const [location] = instance.locations;
    return [
      shortName(view, instance.id),
      instance.hostname === "" ? "-" : instance.hostname,
      colourState(io, stateWord(instance)),
      colourState(io, enumWord(Health, instance.health) || "-"),
      (location?.containerIds ?? []).map(id => id.slice(0, 12)).join(" ") || "-",
      (location?.ports ?? []).map(port => `${location?.address}:${port.hostPort}->${port.containerPort}`).join(" ") ||
        "-",
      instance.createdAt === undefined ? "" : duration(io.now() - timestampMs(instance.createdAt)),
      instance.refusal?.advice ?? (instance.message || endWords(instance, io.now()) || restartWords(instance)),
    ];
  });
  return renderTable(
    ["INSTANCE", "NODE", "STATE", "HEALTH", "CONTAINERS", "PORTS", "AGE", "MESSAGE"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
}

/** When it has done what it had to do. */
function endWords({ state, locations: [location] }: Instance, now: number): string {
  if (state !== InstanceState.COMPLETED || location?.changedAt === undefined) return "";
  return `it ended with exit code 0, ${duration(now - timestampMs(location.changedAt))} ago`;
}

/**
 * Between two failures of a container nothing is wrong at the moment; how often it was started
 * again still tells.
 */
function restartWords({ locations: [location] }: Instance): string {
  const words = (location?.containers ?? [])
    .filter(({ restarts }) => restarts > 0)
    .map(({ name, restarts }) => `${name} was started again ${restarts === 1 ? "once" : `${restarts} times`}`);
  return words.join(", ");
}

function stateWord(instance: Instance): string {
  const state = enumWord(InstanceState, instance.state);
  const leaving = instance.desired === InstanceDesired.STOP && state === "running";
  return leaving ? "stopping" : state;
}
