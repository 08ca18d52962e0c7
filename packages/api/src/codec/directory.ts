import type { MessageInitShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Peer } from "@skep/core/network/directory.ts";
import {
  keyOfPart,
  type DirectoryNews,
  type DirectoryPart,
  type HeldDirectory,
} from "@skep/core/network/held-directory.ts";
import type { NameAsker, NameEntry, NameTable, TenantNames } from "@skep/core/network/names.ts";
import {
  DirectoryJournalSchema,
  DirectoryNewsSchema,
  FetchDirectorySchema,
  NodePeersSchema,
  TenantNamesSchema,
  type DirectoryPart as DirectoryPartMessage,
  type DirectoryPartSchema,
  type NameEntry as NameEntryMessage,
  type NameEntrySchema,
  type NameTable as NameTableMessage,
  type NameTableSchema,
  type TenantNames as TenantNamesMessage,
} from "../gen/skep/v1/names_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** What an agent has, and asks the rest of. */
export interface DirectoryFetch {
  readonly nodeId: NodeId;
  readonly sessionId: string;
  /** By the part's key. */
  readonly held: ReadonlyMap<string, bigint>;
}

/** The content of a part as bytes, by which it is recognised. */
export function contentOfPart(part: PartContent): Uint8Array {
  return part.kind === "network"
    ? toBinary(NodePeersSchema, create(NodePeersSchema, { peers: part.network.peers.map(peerToProto) }))
    : toBinary(TenantNamesSchema, create(TenantNamesSchema, tenantToProto(part.names)));
}

/** A part without its digest. */
export type PartContent = Distribute<DirectoryPart>;
type Distribute<T> = T extends unknown ? Omit<T, "digest"> : never;

/** Bytes of a message beside its parts, at most. */
const ENVELOPE_BYTES = 1_024;
/** Bytes of a part beside its content, at most. */
const PART_BYTES = 32;

/** How much of a message a part takes, at most. */
export function bytesOfPart(content: Uint8Array): number {
  return content.length + PART_BYTES;
}

/** Whether a message takes a part of that content at all. */
export function fitsMessage(content: Uint8Array, maxPayload: number): boolean {
  return ENVELOPE_BYTES + bytesOfPart(content) <= maxPayload;
}

/**
 * Writes news, with as many of the parts as a message takes: by its digest the node sees that there
 * are more, and asks.
 */
export function encodeDirectoryNews(nodeId: NodeId, news: DirectoryNews, maxPayload: number): Uint8Array {
  let room = maxPayload - ENVELOPE_BYTES - news.gone.reduce((sum, key) => sum + key.length + 4, 0);
  const fitting = news.parts.filter(part => {
    const bytes = bytesOfPart(contentOfPart(part));
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  return encodeMessage(DirectoryNewsSchema, {
    ...{ nodeId, incarnation: news.incarnation, term: toUint64(news.term), seq: toUint64(news.seq) },
    ...{ digest: news.digest, parts: fitting.map(partToProto), gone: [...news.gone] },
  });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeDirectoryNews(bytes: Uint8Array): DirectoryNews & { readonly nodeId: NodeId } {
  const { nodeId, incarnation, term, seq, digest, parts, gone } = decodeMessage(DirectoryNewsSchema, bytes);
  return {
    ...{ nodeId, incarnation, digest, gone, parts: parts.map(partFromProto) },
    ...{ term: fromUint64(term, "news.term"), seq: fromUint64(seq, "news.seq") },
  };
}

/** Writes an agent's question. */
export function encodeDirectoryFetch({ nodeId, sessionId, held }: DirectoryFetch): Uint8Array {
  return encodeMessage(FetchDirectorySchema, { nodeId, sessionId, held: Object.fromEntries(held) });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeDirectoryFetch(bytes: Uint8Array): DirectoryFetch {
  const { nodeId, sessionId, held } = decodeMessage(FetchDirectorySchema, bytes);
  return { nodeId, sessionId, held: new Map(Object.entries(held)) };
}

/** Writes what an agent keeps. */
export function encodeDirectoryJournal({ incarnation, term, seq, parts }: HeldDirectory): Uint8Array {
  return encodeMessage(DirectoryJournalSchema, {
    ...{ incarnation, term: toUint64(term), seq: toUint64(seq), parts: [...parts.values()].map(partToProto) },
  });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeDirectoryJournal(bytes: Uint8Array): HeldDirectory {
  const { incarnation, term, seq, parts } = decodeMessage(DirectoryJournalSchema, bytes);
  return {
    ...{ incarnation, term: fromUint64(term, "directory.term"), seq: fromUint64(seq, "directory.seq") },
    parts: new Map(parts.map(partFromProto).map(part => [keyOfPart(part), part])),
  };
}

/** A table of names as its message. */
export function nameTableToProto({ askers, tenants }: NameTable): MessageInitShape<typeof NameTableSchema> {
  return {
    askers: askers.map(one => ({ ...one, project: one.project ?? "", networks: [...one.networks] })),
    tenants: tenants.map(tenantToProto),
  };
}

/** A message as a table of names. */
export function nameTableFromProto({ askers, tenants }: NameTableMessage): NameTable {
  return {
    askers: askers.map(({ address, tenantId, project, networks }): NameAsker => ({
      ...{ address, tenantId, project: project === "" ? undefined : project, networks },
    })),
    tenants: tenants.map(tenantFromProto),
  };
}

function partToProto(part: DirectoryPart): MessageInitShape<typeof DirectoryPartSchema> {
  const { digest } = part;
  return part.kind === "network"
    ? { digest, content: { case: "peers", value: { peers: part.network.peers.map(peerToProto) } } }
    : { digest, content: { case: "tenant", value: tenantToProto(part.names) } };
}

function partFromProto({ content, digest }: DirectoryPartMessage): DirectoryPart {
  switch (content.case) {
    case "peers":
      return { kind: "network", digest, network: { peers: content.value.peers.map(peerFromProto) } };
    case "tenant":
      return { kind: "tenant", digest, names: tenantFromProto(content.value) };
    case undefined: {
      const sentence = "A part of a directory has a kind that this version does not know; update this program.";
      throw new SkepError("invalid_argument", "UNKNOWN_PART", sentence);
    }
  }
}

function peerToProto({ nodeId, address, block }: Peer): Peer {
  return { nodeId, address, block };
}

function peerFromProto({ nodeId, address, block }: Peer): Peer {
  return { nodeId, address, block };
}

function tenantToProto({ tenantId, entries }: TenantNames): MessageInitShape<typeof TenantNamesSchema> {
  return { tenantId, entries: entries.map(entryToProto) };
}

function tenantFromProto({ tenantId, entries }: TenantNamesMessage): TenantNames {
  return { tenantId, entries: entries.map(entryFromProto) };
}

function entryToProto(entry: NameEntry): MessageInitShape<typeof NameEntrySchema> {
  const { deployment, project = "", service = "", networks, well, others } = entry;
  return {
    ...{ deployment, project, service, well: [...well], others: [...others] },
    networks: networks.map(({ name, aliases }) => ({ name, aliases: [...aliases] })),
  };
}

function entryFromProto({ deployment, project, service, networks, well, others }: NameEntryMessage): NameEntry {
  return {
    ...{ deployment, project: project === "" ? undefined : project, service: service === "" ? undefined : service },
    ...{ networks: networks.map(({ name, aliases }) => ({ name, aliases })), well, others },
  };
}
