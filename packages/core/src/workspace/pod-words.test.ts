import { expect, it } from "vitest";
import type { HostingChange } from "./host.ts";
import type { RecordedWorkspace } from "./hosting-plan.ts";
import { withPodWords } from "./pod-words.ts";

const wait = (workspaceId: string, because: string): HostingChange => ({ kind: "wait", workspaceId, because });
const plan = (...changes: HostingChange[]) => ({ changes, silenced: new Map(), gone: [], lost: [] });
const recorded = (id: string, waiting: string): RecordedWorkspace => {
  return { id, waiting, tenantId: "acme", mode: "standalone", desired: "run", strategy: "least-loaded", epoch: 0 };
};

it("says of a workspace what its pod waits for, once, and of others what was said", () => {
  const words = new Map([["fleet", "waits for its pod"]]);
  const { changes } = withPodWords(plan(wait("fleet", "x"), wait("other", "y")), { workspaces: [] }, words);
  expect(changes).toEqual([wait("fleet", "waits for its pod"), wait("other", "y")]);
  const said = { workspaces: [recorded("fleet", "waits for its pod"), recorded("other", "y")] };
  expect(withPodWords(plan(wait("fleet", "x"), wait("other", "y")), said, words).changes).toEqual([]);
});

it("has the record of one stay whose pod has not left", () => {
  const going = { ...plan(), gone: ["fleet", "other"] };
  expect(withPodWords(going, { workspaces: [] }, new Map(), new Set(["fleet"])).gone).toEqual(["other"]);
});

it("leaves all else as it is", () => {
  const stop: HostingChange = { kind: "stop", workspaceId: "fleet", epoch: 1, because: "z" };
  expect(withPodWords(plan(stop), { workspaces: [] }, new Map([["fleet", "words"]])).changes).toEqual([stop]);
});
