import type { SwarmNode } from "@skep/core/model/report.ts";
import { create, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { ErrorCode } from "@skep/core/error.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeploymentSpecSchema } from "../gen/skep/v1/spec_pb.ts";
import { anyLabels, assignment, count, long, maybe, recorded, spec, status, text } from "../testing/arbitraries.ts";
import { decodeAskReply, encodeAskReply } from "./ask-reply.ts";
import type { AskReply } from "./ask-reply.ts";
import { decodeAsk, encodeAsk } from "./ask.ts";
import type { Ask } from "./ask.ts";
import {
  decodeAssignment,
  decodeFetch,
  decodeFetchReply,
  encodeAssignment,
  encodeFetch,
  encodeFetchReply,
} from "./assignment.ts";
import { decodeBeat, encodeBeat } from "./beat.ts";
import { PROTOCOL_VERSION } from "./envelope.ts";
import { fromConnectError, toConnectError } from "./error.ts";
import { decodeJournal, encodeJournal } from "./held.ts";
import { decodeEventNotice, decodeWake, encodeEventNotice, encodeWake } from "./notice.ts";
import { decodeReport, decodeReportAck, encodeReport, encodeReportAck } from "./report.ts";
import { specFromProto, specToProto } from "./spec.ts";
import { decodeSwarmNodes, encodeSwarmNodes } from "./swarm.ts";

/** Holds that reading what was written gives the same value. */
function survives<T>(
  values: fc.Arbitrary<T>,
  write: (value: T) => Uint8Array,
  read: (bytes: Uint8Array) => unknown,
): void {
  fc.assert(
    fc.property(values, value => {
      expect(read(write(value))).toEqual(value);
    }),
    { numRuns: 60 },
  );
}

const bytes = fc.uint8Array({ maxLength: 8 });
const filled = fc.string({ minLength: 1, maxLength: 8 });
const capacity = fc.record({ cpuMillis: count, memoryBytes: long, instances: count, portFrom: count, portTo: count });
const load = fc.record({ cpuShare: fc.double({ noNaN: true }), memoryShare: fc.double({ noNaN: true }) });
const swarmNode: fc.Arbitrary<SwarmNode> = fc.record({
  nodeId: text,
  hostname: text,
  role: fc.constantFrom<SwarmNode["role"]>("manager", "worker"),
  availability: fc.constantFrom<SwarmNode["availability"]>("active", "pause", "drain"),
  state: text,
  address: text,
  labels: anyLabels,
  versionIndex: long,
});
const facts = fc.record({
  nodeId: text,
  sessionId: text,
  bootId: text,
  hostname: text,
  address: text,
  os: text,
  architecture: text,
  engineVersion: text,
  engineLabels: anyLabels,
  capacity,
  agentVersion: text,
});

const stranger = fc.record({ status, tenantId: text, deploymentId: text, release: recorded });
const epochs = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), count, { maxKeys: 3, noNullPrototype: true });
const volumeOnNode = fc.record({ tenantId: text, owner: text, name: text, serial: long, inUse: fc.boolean() });
const held = fc.record({
  assignment: maybe(assignment),
  epochs,
  present: fc.array(stranger, { maxLength: 2 }),
  volumes: fc.array(volumeOnNode, { maxLength: 2 }),
  refused: text,
});

describe("what is written is read again", () => {
  it("specs, as bytes and as JSON", () => {
    survives(
      spec,
      value => toBinary(DeploymentSpecSchema, create(DeploymentSpecSchema, specToProto(value))),
      bytes => specFromProto(fromBinary(DeploymentSpecSchema, bytes)),
    );
    fc.assert(
      fc.property(spec, value => {
        const json = toJson(DeploymentSpecSchema, create(DeploymentSpecSchema, specToProto(value)));
        expect(specFromProto(fromJson(DeploymentSpecSchema, json))).toEqual(value);
      }),
      { numRuns: 40 },
    );
  });

  it("assignments, fetches and their answers", () => {
    const stamp = count.filter(one => one > 0);
    survives(assignment, encodeAssignment, bytes => decodeAssignment(bytes).assignment);
    survives(
      fc.record({ nodeId: text, sessionId: text, incarnation: text, term: long, revision: long, stamp }),
      encodeFetch,
      decodeFetch,
    );
    survives(maybe(assignment), encodeFetchReply, bytes => decodeFetchReply(bytes)?.assignment);
  });

  it("journals", () => {
    survives(fc.record({ assignment: maybe(assignment), epochs, bootId: text }), encodeJournal, decodeJournal);
  });

  it("beats", () => {
    const beat = fc.record({
      nodeId: text,
      bootId: text,
      sessionId: text,
      seq: long,
      incarnation: text,
      refused: text,
      appliedTerm: long,
      appliedRevision: long,
      appliedStamp: count.filter(one => one > 0),
      receipt: text.filter(one => one !== ""),
      reportSeq: long,
      digest: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      instances: count,
      load: maybe(load),
      leaving: fc.boolean(),
      at: long,
    });
    survives(beat, encodeBeat, bytes => {
      const { protocol, ...read } = decodeBeat(bytes);
      expect(protocol).toBe(PROTOCOL_VERSION);
      return read;
    });
  });

  it("reports and their answers", () => {
    const report = fc.record({
      nodeId: text,
      sessionId: text,
      seq: long,
      full: fc.boolean(),
      ...{ incarnation: text, appliedTerm: long, appliedRevision: long, receipt: text.filter(one => one !== "") },
      appliedStamp: count.filter(one => one > 0),
      facts: maybe(facts),
      statuses: fc.array(status, { maxLength: 3 }),
      gone: fc.array(fc.record({ instanceId: text, epoch: recorded }), { maxLength: 2 }),
      strangers: fc.array(stranger, { maxLength: 2 }),
      volumes: fc.option(
        fc.array(volumeOnNode, {
          maxLength: 2,
        }),
        { nil: undefined },
      ),
      usage: fc.array(fc.record({ instanceId: text, epoch: recorded, cpuMillis: count, memoryBytes: long }), {
        maxLength: 2,
      }),
    });
    survives(report, encodeReport, bytes => {
      const { unreadable, ...read } = decodeReport(bytes);
      expect(unreadable).toEqual([]);
      return read;
    });
    const ack = fc.record({ accepted: fc.boolean(), needFull: fc.boolean(), because: text });
    survives(ack, encodeReportAck, decodeReportAck);
  });

  it("lists of Swarm nodes", () => {
    const list = fc.record({ managerNodeId: text, nodes: fc.array(swarmNode, { maxLength: 3 }), at: long });
    survives(list, encodeSwarmNodes, decodeSwarmNodes);
  });

  it("questions", () => {
    const change = fc.oneof(
      fc.record({ action: fc.constantFrom<"drain" | "activate" | "pause">("drain", "activate", "pause") }),
      fc.record({ action: fc.constant("label" as const), set: anyLabels, remove: fc.array(text, { maxLength: 2 }) }),
    );
    const ask: fc.Arbitrary<Ask> = fc.oneof(
      fc.record({ kind: fc.constantFrom<"report" | "held">("report", "held") }),
      fc.record({
        kind: fc.constant("held" as const),
        rest: fc.record({ snapshot: text.filter(one => one !== ""), offset: count }),
      }),
      fc.record({ kind: fc.constant("probe" as const), address: text, port: count, timeoutMs: count }),
      fc.record({
        kind: fc.constant("logs" as const),
        streamId: text,
        instanceId: text,
        container: maybe(filled),
        tail: maybe(count),
        follow: fc.boolean(),
        since: maybe(long),
      }),
      fc.record({ kind: fc.constant("logs-control" as const), streamId: text, stop: fc.boolean() }),
      fc.record({ kind: fc.constant("node" as const), nodeId: text, change }),
      fc.record({
        kind: fc.constant("exec" as const),
        ...{ streamId: text, instanceId: text, container: text },
        ...{ argv: fc.array(text, { maxLength: 3 }), stdinBytes: count, timeoutMs: count },
      }),
      fc.record({ kind: fc.constant("exec-input" as const), streamId: text, offset: count, data: bytes }),
      fc.record({ kind: fc.constant("exec-control" as const), streamId: text, stop: fc.boolean(), taken: long }),
    );
    survives(ask, encodeAsk, decodeAsk);
  });

  it("answers", () => {
    const line = fc.record({
      instanceId: text,
      container: text,
      stream: fc.constantFrom<"stdout" | "stderr">("stdout", "stderr"),
      at: long,
      text,
    });
    const reply: fc.Arbitrary<AskReply> = fc.oneof(
      fc.record({ kind: fc.constant("done" as const) }),
      fc.record({ kind: fc.constant("probe" as const), answered: fc.boolean(), detail: text }),
      fc.record({
        kind: fc.constant("logs" as const),
        streamId: text,
        seq: long,
        lines: fc.array(line, { maxLength: 3 }),
        end: fc.boolean(),
        dropped: count,
      }),
      fc.record({ kind: fc.constant("node" as const), node: swarmNode }),
      fc.record({ kind: fc.constant("held" as const), held }),
      fc.record({
        kind: fc.constant("held-part" as const),
        part: fc.record({ snapshot: text, totalBytes: count, offset: count, data: bytes }),
      }),
      fc.record({
        kind: fc.constant("exec" as const),
        streamId: text,
        seq: long,
        output: fc.array(fc.record({ stream: fc.constantFrom<"stdout" | "stderr">("stdout", "stderr"), data: bytes }), {
          maxLength: 3,
        }),
        exitCode: maybe(fc.integer()),
      }),
    );
    survives(reply, encodeAskReply, decodeAskReply);
  });

  it("notices and hints", () => {
    const event = fc.record({
      at: fc.nat({ max: 4_000_000_000_000 }),
      kind: text,
      tenantId: maybe(filled),
      deploymentId: maybe(filled),
      instanceId: maybe(filled),
      nodeId: maybe(filled),
      epoch: maybe(count),
      sentence: text,
    });
    const ids = fc.array(text, { maxLength: 3 });
    const notice = fc.record({ events: fc.array(event, { maxLength: 3 }), deploymentIds: ids, nodeIds: ids });
    survives(notice, encodeEventNotice, decodeEventNotice);
    survives(text, encodeWake, decodeWake);
  });

  it("errors, through Connect and through an agent's answer", () => {
    const codes: readonly ErrorCode[] = ["invalid_argument", "unauthenticated", "permission_denied", "not_found"];
    const more: readonly ErrorCode[] = ["already_exists", "failed_precondition", "aborted", "resource_exhausted"];
    const rest: readonly ErrorCode[] = ["unavailable", "deadline_exceeded", "unimplemented", "internal"];
    const error = fc
      .record({
        code: fc.constantFrom(...codes, ...more, ...rest),
        reason: filled,
        message: text,
        details: fc.dictionary(filled, filled, { maxKeys: 3, noNullPrototype: true }),
        issues: fc.array(fc.record({ path: text, problem: text, advice: text }), { maxLength: 2 }),
      })
      .map(({ code, reason, message, details, issues }) => new SkepError(code, reason, message, { details, issues }));
    const plain = ({ code, reason, message, details, issues }: SkepError) => ({
      code,
      reason,
      message,
      details,
      issues,
    });
    fc.assert(
      fc.property(error, one => {
        expect(plain(fromConnectError(toConnectError(one)))).toEqual(plain(one));
        const reply = decodeAskReply(encodeAskReply({ kind: "error", error: one }));
        expect(reply.kind === "error" && plain(reply.error)).toEqual(plain(one));
      }),
    );
  });
});
