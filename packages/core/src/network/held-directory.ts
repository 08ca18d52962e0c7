import type { TenantNames } from "./names.ts";
import type { NodeNetwork } from "./directory.ts";

/** A piece of what a node is told, with what its content is recognised by. */
export type DirectoryPart = { readonly digest: bigint } & (
  { readonly kind: "network"; readonly network: NodeNetwork } | { readonly kind: "tenant"; readonly names: TenantNames }
);

/** What a node is told at once: all of it, or what changed. */
export interface DirectoryNews {
  /** Of the records that it was made from. */
  readonly incarnation: string;
  /** Of the leader that says it; in a term the numbers grow. */
  readonly term: number;
  readonly seq: number;
  /** Of all parts that the node should have. */
  readonly digest: bigint;
  readonly parts: readonly DirectoryPart[];
  /** Keys of parts that it should not have any more. */
  readonly gone: readonly string[];
}

/** What a node holds. */
export interface HeldDirectory {
  readonly incarnation: string;
  readonly term: number;
  readonly seq: number;
  /** By `keyOfPart`. */
  readonly parts: ReadonlyMap<string, DirectoryPart>;
}

/** What a node holds that was told nothing yet. */
export const NOTHING_HELD: HeldDirectory = { incarnation: "", term: 0, seq: 0, parts: new Map() };

/** A part's place: a later one with the same key takes it. */
export function keyOfPart(part: DirectoryPart): string {
  return part.kind === "network" ? "" : part.names.tenantId;
}

/** What all parts together are recognised by, in whatever order they are. */
export function digestOfParts(parts: Iterable<Pick<DirectoryPart, "digest">>): bigint {
  let digest = 0n;
  for (const part of parts) digest ^= part.digest;
  return digest;
}

/** What becomes of news. */
export interface Taken {
  readonly held: HeldDirectory;
  /** Whether that is all that the node should have; where it is not, the node asks for the rest. */
  readonly isWhole: boolean;
}

/**
 * Takes news. What is older than what is held changes nothing: a leader that lost its term may
 * still speak. `trusted` is the incarnation that the node's assignment is of: news of other records
 * count only once the node works by those.
 */
export function takeNews(held: HeldDirectory, news: DirectoryNews, trusted: string): Taken {
  if (news.incarnation !== trusted) return { held, isWhole: true };
  const isKnown = held.incarnation === news.incarnation;
  const isOlder = news.term < held.term || (news.term === held.term && news.seq < held.seq);
  if (isKnown && isOlder) return { held, isWhole: true };
  const parts = new Map(isKnown ? held.parts : []);
  for (const key of news.gone) parts.delete(key);
  for (const part of news.parts) parts.set(keyOfPart(part), part);
  const { incarnation, term, seq } = news;
  return { held: { incarnation, term, seq, parts }, isWhole: digestOfParts(parts.values()) === news.digest };
}
