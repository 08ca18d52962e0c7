import type { Sets } from "../plan/plane.ts";

/** Our table as nft lists it. */
export interface ListedTable {
  /** All but the elements, in nft's words: it changes when somebody changes a rule. */
  readonly listed: string;
  readonly sets: Sets;
}

type Item = Readonly<
  Record<string, { readonly handle?: number; readonly name?: string; readonly elem?: readonly unknown[] }>
>;

/** Reads what `nft -json list table` printed; `undefined` where there is no table. */
export function readTable(text: string): ListedTable | undefined {
  if (text.trim() === "") return undefined;
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly Item[] };
  const sets = new Map<string, ReadonlyMap<string, string>>();
  const kept: unknown[] = [];
  for (const item of nftables) {
    const [kind = "", value = {}] = Object.entries(item)[0] ?? [];
    if (kind === "metainfo") continue;
    // A handle tells when something was made and not what it is.
    const { elem, handle: _, ...rest } = value;
    kept.push({ [kind]: rest });
    if (kind === "set" || kind === "map") sets.set(value.name ?? "", new Map((elem ?? []).map(toElement)));
  }
  return { listed: JSON.stringify(kept), sets };
}

/** An element of a map is a pair. */
function toElement(element: unknown): readonly [string, string] {
  return Array.isArray(element) ? [toText(element[0]), toText(element[1])] : [toText(element), ""];
}

interface Expression {
  readonly concat?: readonly unknown[];
  readonly prefix?: { readonly addr: string; readonly len: number };
  readonly range?: readonly unknown[];
}

function toText(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value as string | number);
  const { concat, prefix, range } = value as Expression;
  if (concat !== undefined) return concat.map(toText).join(" . ");
  if (prefix !== undefined) return `${prefix.addr}/${prefix.len}`;
  if (range !== undefined) return range.map(toText).join("-");
  return JSON.stringify(value);
}
