import { describe, expect, it } from "vitest";
import {
  digestOfParts,
  NOTHING_HELD,
  takeNews,
  type DirectoryNews,
  type DirectoryPart,
  type HeldDirectory,
} from "./held-directory.ts";

const part = (tenantId: string, digest: bigint): DirectoryPart => ({
  ...{ kind: "tenant", digest, names: { tenantId, entries: [] } },
});
const network: DirectoryPart = { kind: "network", digest: 64n, network: { peers: [] } };

function news(over: Partial<DirectoryNews> & { readonly all?: readonly DirectoryPart[] } = {}): DirectoryNews {
  const { all = [], ...rest } = over;
  return { ...{ incarnation: "inc", term: 2, seq: 5, digest: digestOfParts(all), parts: [], gone: [] }, ...rest };
}

function take(held: HeldDirectory, one: DirectoryNews, trusted = "inc") {
  const { held: after, isWhole } = takeNews(held, one, trusted);
  return { keys: [...after.parts.keys()], isWhole, after };
}

const all = [network, part("a", 1n), part("b", 2n)];
const full = take(NOTHING_HELD, news({ parts: all, all })).after;

describe("news of a directory", () => {
  it("bring parts, take their place, and take them away", () => {
    expect([...full.parts.keys()]).toEqual(["", "a", "b"]);
    const changed = [network, part("a", 4n)];
    const after = take(full, news({ seq: 6, parts: [part("a", 4n)], gone: ["b"], all: changed }));
    expect(after).toMatchObject({ keys: ["", "a"], isWhole: true });
    expect(after.after.parts.get("a")?.digest).toBe(4n);
  });

  it("show that something was missed", () => {
    expect(take(NOTHING_HELD, news({ all })).isWhole).toBe(false);
    expect(take(full, news({ seq: 9, parts: [part("a", 4n)], all: [network, part("a", 4n)] })).isWhole).toBe(false);
    expect(take(full, news({ seq: 9, all })).isWhole).toBe(true);
  });

  it.each([
    ["of an earlier number", { seq: 4 }],
    ["of an earlier term", { term: 1, seq: 9 }],
  ])("%s change nothing", (_, over) => {
    expect(take(full, news({ ...over, gone: ["a", "b", ""] })).after).toBe(full);
  });

  it("of a later term count from their first number", () => {
    expect(take(full, news({ term: 3, seq: 1, gone: ["a"], all: [network, part("b", 2n)] }))).toMatchObject({
      keys: ["", "b"],
      isWhole: true,
    });
  });

  it("of other records count only where the node works by those, and then alone", () => {
    const other = news({ incarnation: "next", term: 1, parts: [network], all: [network] });
    expect(take(full, other).after).toBe(full);
    expect(take(full, other, "next")).toMatchObject({ keys: [""], isWhole: true });
  });
});
