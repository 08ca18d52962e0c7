import type { MessageInitShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { AskSchema, NodeAction } from "../gen/skep/v1/agent_pb.ts";
import type { AskNode } from "../gen/skep/v1/agent_pb.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { enumTable } from "./enum-table.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** What to do to a Swarm node. */
export type NodeChange =
  | { readonly action: "drain" | "activate" | "pause" }
  | { readonly action: "label"; readonly set: Labels; readonly remove: readonly string[] };

/** A log stream that an agent is asked for; `undefined` parts do not restrict it. */
export interface LogsWanted {
  /** Chosen by the asker. */
  readonly streamId: string;
  readonly instanceId: string;
  readonly container: string | undefined;
  readonly tail: number | undefined;
  readonly follow: boolean;
  readonly since: number | undefined;
}

/** A command that an agent is asked to run in a running container. */
export interface ExecWanted {
  /** Chosen by the asker. */
  readonly streamId: string;
  readonly instanceId: string;
  readonly container: string;
  /** The program and its arguments. */
  readonly argv: readonly string[];
  /** Length of its standard input, which follows as `exec-input`; 0 for none. */
  readonly stdinBytes: number;
  readonly timeoutMs: number;
}

/** What is still to come of a held state that is too large for one message. */
export interface HeldRest {
  /** As the first part named the whole. */
  readonly snapshot: string;
  /** How many bytes came before. */
  readonly offset: number;
}

/** What a scheduler asks of one agent. */
export type Ask =
  | { readonly kind: "report" }
  /** What it holds and runs, for a recovery. */
  | { readonly kind: "held"; readonly rest?: HeldRest }
  | { readonly kind: "probe"; readonly address: string; readonly port: number; readonly timeoutMs: number }
  | ({ readonly kind: "logs" } & LogsWanted)
  /** Keeps a followed stream alive for `LOGS_IDLE_MS`, or ends it. */
  | { readonly kind: "logs-control"; readonly streamId: string; readonly stop: boolean }
  | { readonly kind: "node"; readonly nodeId: NodeId; readonly change: NodeChange }
  | ({ readonly kind: "exec" } & ExecWanted)
  /** A part of a command's standard input; `offset` bytes came before it. */
  | { readonly kind: "exec-input"; readonly streamId: string; readonly offset: number; readonly data: Uint8Array }
  /**
   * Keeps a command's stream alive for `EXEC_IDLE_MS` and says how many chunks its reader has
   * taken, or ends it.
   */
  | { readonly kind: "exec-control"; readonly streamId: string; readonly stop: boolean; readonly taken: number };

/** A followed log stream ends when this time passes without a `logs-control`. */
export const LOGS_IDLE_MS = 30_000;
/** A command's output is no longer read when this time passes without an `exec-control`. */
export const EXEC_IDLE_MS = 30_000;
/**
 * How many chunks of a command's output are sent before its reader has taken them; then the engine
 * is not read.
 */
export const EXEC_WINDOW = 16;

const actions = enumTable<NodeChange["action"], NodeAction>("node action", {
  drain: NodeAction.DRAIN,
  activate: NodeAction.ACTIVATE,
  pause: NodeAction.PAUSE,
  label: NodeAction.LABEL,
});

/** Writes a question. */
export function encodeAsk(ask: Ask): Uint8Array {
  return encodeMessage(AskSchema, { kind: kindToProto(ask) });
}

type AskKind = NonNullable<MessageInitShape<typeof AskSchema>["kind"]>;

function kindToProto(ask: Ask): AskKind {
  switch (ask.kind) {
    case "report":
      return { case: "report", value: {} };
    case "held":
      return { case: "held", value: { ...ask.rest } };
    case "probe":
      return { case: "probe", value: { address: ask.address, port: ask.port, timeoutMs: ask.timeoutMs } };
    case "logs": {
      const { streamId, instanceId, container, tail, follow, since } = ask;
      const sinceMs = since === undefined ? undefined : BigInt(Math.trunc(since));
      return { case: "logs", value: { streamId, instanceId, container: container ?? "", tail, follow, sinceMs } };
    }
    case "logs-control":
      return { case: "logsControl", value: { streamId: ask.streamId, stop: ask.stop } };
    case "node": {
      const { nodeId, change } = ask;
      const labels =
        change.action === "label" ? { setLabels: { ...change.set }, removeLabels: [...change.remove] } : {};
      return { case: "node", value: { nodeId, action: actions.toProto(change.action), ...labels } };
    }
    case "exec": {
      const { kind: _, argv, ...value } = ask;
      return { case: "exec", value: { ...value, argv: [...argv] } };
    }
    case "exec-input":
      return { case: "execInput", value: { streamId: ask.streamId, offset: ask.offset, data: ask.data } };
    case "exec-control":
      return { case: "execControl", value: { streamId: ask.streamId, stop: ask.stop, taken: toUint64(ask.taken) } };
  }
}

/**
 * @throws SkepError as `decodeMessage`; `unimplemented` for a question that this version does not
 * know.
 */
export function decodeAsk(bytes: Uint8Array): Ask {
  const { kind } = decodeMessage(AskSchema, bytes);
  switch (kind.case) {
    case "report":
      return { kind: "report" };
    case "held": {
      const { snapshot, offset } = kind.value;
      return snapshot === "" ? { kind: "held" } : { kind: "held", rest: { snapshot, offset } };
    }
    case "probe":
      return { kind: "probe", address: kind.value.address, port: kind.value.port, timeoutMs: kind.value.timeoutMs };
    case "logs": {
      const { streamId, instanceId, container, tail, follow, sinceMs } = kind.value;
      return {
        kind: "logs",
        streamId,
        instanceId,
        container: container === "" ? undefined : container,
        tail,
        follow,
        since: sinceMs === undefined ? undefined : fromUint64(sinceMs, "logs.since_ms"),
      };
    }
    case "logsControl":
      return { kind: "logs-control", streamId: kind.value.streamId, stop: kind.value.stop };
    case "node":
      return { kind: "node", nodeId: kind.value.nodeId, change: changeFromProto(kind.value) };
    case "exec": {
      const { streamId, instanceId, container, argv, stdinBytes, timeoutMs } = kind.value;
      return { kind: "exec", streamId, instanceId, container, argv, stdinBytes, timeoutMs };
    }
    case "execInput":
      return { kind: "exec-input", streamId: kind.value.streamId, offset: kind.value.offset, data: kind.value.data };
    case "execControl": {
      const { streamId, stop, taken } = kind.value;
      return { kind: "exec-control", streamId, stop, taken: fromUint64(taken, "exec_control.taken") };
    }
    case undefined:
      throw new SkepError("unimplemented", "UNKNOWN_ASK", "The agent is too old for this question; update the agent.");
  }
}

function changeFromProto(message: AskNode): NodeChange {
  const action = actions.fromProto(message.action, "node action");
  return action === "label" ? { action, set: { ...message.setLabels }, remove: message.removeLabels } : { action };
}
