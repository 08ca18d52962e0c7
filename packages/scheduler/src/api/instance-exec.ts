import type { ExecInstanceRequest, ExecInstanceResponse } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Location } from "@skep/core/model/instance.ts";
import { deploymentOf } from "@skep/core/model/instance-id.ts";
import { refusePod } from "@skep/core/workspace/pod.ts";
import type { ApiDeps } from "./deps.ts";
import { currentOf } from "@skep/core/model/state.ts";
import type { InstanceRecord } from "@skep/core/model/instance.ts";
import { runOnNode } from "./exec.ts";
import { findInstance } from "./instance-read.ts";

const DEFAULT_TIMEOUT_MS = 600_000;
/** The most characters of a program's name in an event. */
const LONGEST_NAME = 120;

/**
 * Runs a command in a container of an instance, on the node where it runs now. Who did so, and
 * which program, is an event before anything is asked; its arguments and its input may be secrets
 * and are written nowhere.
 */
export async function* execInstance(
  deps: ApiDeps,
  request: ExecInstanceRequest,
  actor: string,
  signal: AbortSignal,
): AsyncGenerator<ExecInstanceResponse> {
  const { store, clock, newId } = deps;
  refusePod(deploymentOf(request.instanceId));
  const record = await findInstance(store, request.instanceId);
  const location = runningLocation(record);
  const container = chooseContainer(location, request.container);
  const { instanceId, nodeId, tenantId, deploymentId, epoch } = location;
  const node = (await store.listNodes()).find(one => one.node.id === nodeId)?.node;
  const place = { nodeId, hostname: node?.hostname ?? nodeId };
  const sentence = `${actor} asked to run ${nameOf(request.argv[0] ?? "")} in container ${container} of ${instanceId} on ${place.hostname}`;
  await store.saveDecisions([
    { at: clock.now(), kind: "exec", tenantId, deploymentId, instanceId, nodeId, epoch, sentence },
  ]);
  const timeoutMs = request.timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : request.timeoutMs;
  const wanted = { streamId: newId(), instanceId, container, argv: request.argv, timeoutMs };
  yield* runOnNode(deps, place, wanted, request.stdin, signal);
}

function runningLocation(record: InstanceRecord): Location {
  const location = currentOf(record.instance, record.locations);
  if (location?.state === "running") return location;
  const { id } = record.instance;
  const says = location === undefined || location.message === "" ? "" : ` (${location.message})`;
  const state = location === undefined ? "has no node yet" : `is ${location.state}${says}`;
  throw new SkepError(
    "failed_precondition",
    "INSTANCE_NOT_RUNNING",
    `${id} ${state}: a command needs an instance that runs. Look at \`skep ps\` for one, or at its logs.`,
    { details: { instanceId: id } },
  );
}

function chooseContainer(location: Location, wanted: string): string {
  // A pod's sandbox has no name and runs nothing.
  const names = location.containers.map(one => one.name).filter(name => name !== "");
  const [only] = names;
  if (wanted === "" && only !== undefined && names.length === 1) return only;
  if (wanted !== "" && names.includes(wanted)) return wanted;
  const has = `It has: ${names.join(", ")}.`;
  if (wanted === "")
    throw new SkepError(
      "invalid_argument",
      "CONTAINER_NEEDED",
      `${location.instanceId} has several containers: name the one to run the command in. ${has}`,
    );
  throw new SkepError("not_found", "CONTAINER_NOT_FOUND", `${location.instanceId} has no container ${wanted}. ${has}`);
}

/** A program's name as one word of a sentence, whatever is in it. */
function nameOf(program: string): string {
  const short = program.length > LONGEST_NAME ? `${program.slice(0, LONGEST_NAME)}...` : program;
  return /^[\w./-]+$/.test(short) ? short : JSON.stringify(short);
}
