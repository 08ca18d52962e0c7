import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { canonicalText, hashText } from "@skep/core/converge/spec-hash.ts";
import { LARGE_SPEC_BYTES } from "@skep/core/model/assignment.ts";
import type { DeploymentId, DeploymentSpec } from "@skep/core/model/deployment.ts";
import { FetchSpecReplySchema, FetchSpecSchema } from "../gen/skep/v1/agent_pb.ts";
import { DeploymentSpecSchema } from "../gen/skep/v1/spec_pb.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { specFromProto, specToProto } from "./spec.ts";

/** Which spec is meant, without its content. */
export interface SpecName {
  readonly deploymentId: DeploymentId;
  readonly release: number;
  /** Hash of the content: a deployment may have been deleted and made again. */
  readonly digest: string;
  readonly bytes: number;
}

/** An agent's request for a spec, from `offset` bytes on. */
export interface SpecFetch {
  readonly nodeId: string;
  readonly deploymentId: DeploymentId;
  readonly release: number;
  readonly offset: number;
}

/** A part of a spec; `digest` is empty where nothing of the release is recorded on the node. */
export interface SpecPart {
  readonly digest: string;
  readonly totalBytes: number;
  readonly data: Uint8Array;
}

/** Specs are never edited, so each is measured, hashed and, where it is small, written once. */
const sizes = new WeakMap<DeploymentSpec, number>();
const written = new WeakMap<DeploymentSpec, Uint8Array>();
const digests = new WeakMap<DeploymentSpec, string>();

/** How many bytes a spec takes in a message. */
export function specSize(spec: DeploymentSpec): number {
  const known = sizes.get(spec) ?? smallSpecBytes(spec).byteLength;
  sizes.set(spec, known);
  return known;
}

/** Hash of a spec's content. */
export function specDigest(spec: DeploymentSpec): string {
  const known = digests.get(spec) ?? hashText(canonicalText(spec));
  digests.set(spec, known);
  return known;
}

/** The name of a release's spec. */
export function nameOfSpec(deploymentId: DeploymentId, release: number, spec: DeploymentSpec): SpecName {
  return { deploymentId, release, digest: specDigest(spec), bytes: specSize(spec) };
}

/** A spec in its binary form, which is kept for as long as the spec itself unless it is large. */
export function smallSpecBytes(spec: DeploymentSpec): Uint8Array {
  const known = written.get(spec);
  if (known !== undefined) return known;
  const bytes = specToBytes(spec);
  if (bytes.byteLength <= LARGE_SPEC_BYTES) written.set(spec, bytes);
  return bytes;
}

/** A spec in its binary form. */
export function specToBytes(spec: DeploymentSpec): Uint8Array {
  return toBinary(DeploymentSpecSchema, create(DeploymentSpecSchema, specToProto(spec)));
}

/**
 * @throws Error for bytes that are no spec, SkepError for words that this version does not know.
 */
export function specFromBytes(bytes: Uint8Array, path: string): DeploymentSpec {
  return specFromProto(fromBinary(DeploymentSpecSchema, bytes), path);
}

/** Writes an agent's request for a spec. */
export function encodeSpecFetch(fetch: SpecFetch): Uint8Array {
  return encodeMessage(FetchSpecSchema, fetch);
}

/** @throws SkepError as `decodeMessage`. */
export function decodeSpecFetch(bytes: Uint8Array): SpecFetch {
  const { nodeId, deploymentId, release, offset } = decodeMessage(FetchSpecSchema, bytes);
  return { nodeId, deploymentId, release, offset };
}

/** Room for what stands around the data in an answer. */
const AROUND_BYTES = 1024;

/**
 * The answer from `offset` bytes on, as much as a message of `maxBytes` takes; `undefined` where
 * there is no spec.
 */
export function specPart(spec: DeploymentSpec | undefined, offset: number, maxBytes: number): SpecPart {
  if (spec === undefined) return { digest: "", totalBytes: 0, data: new Uint8Array() };
  const bytes = specToBytes(spec);
  const data = bytes.subarray(offset, offset + maxBytes - AROUND_BYTES);
  return { digest: specDigest(spec), totalBytes: bytes.byteLength, data };
}

/** Writes a part of a spec. */
export function encodeSpecPart(part: SpecPart): Uint8Array {
  return encodeMessage(FetchSpecReplySchema, { ...part, data: new Uint8Array(part.data) });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeSpecPart(bytes: Uint8Array): SpecPart {
  const { digest, totalBytes, data } = decodeMessage(FetchSpecReplySchema, bytes);
  return { digest, totalBytes, data };
}
