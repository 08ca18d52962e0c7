import { describe, expect, it } from "vitest";
import type { Deployment } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import { aDeployment, aLocation, anInstance, aSpec } from "../testing/builders.ts";
import { aConnector } from "../testing/connector.ts";
import { MOST_CHANGING, planPods, whyPodWaits, type Pod, type PodWorkspace } from "./plan-pods.ts";
import { podId } from "./pod.ts";

const SPEC = aSpec({ name: "ws_fleet" });
const OTHER = aSpec({ name: "ws_fleet", stopGraceMs: 1 });

const workspace = (over: Partial<PodWorkspace> = {}): PodWorkspace => ({
  ...{ id: "fleet", tenantId: "acme", desired: "run", connector: aConnector(), needsPod: true, isHeld: false },
  ...over,
});
const pod = (over: Partial<Deployment> = {}, locations: readonly Partial<Location>[] = [{ state: "running" }]): Pod => {
  const deployment = aDeployment({ id: "acme.ws_fleet", name: "ws_fleet", resourceVersion: 7, ...over });
  const { id: deploymentId } = deployment;
  const instance = anInstance({ id: `${deploymentId}.1`, deploymentId });
  const located = locations.map(one => aLocation({ instanceId: instance.id, deploymentId, ...one }));
  return { deployment, spec: SPEC, instances: [{ instance, locations: located }] };
};
const plan = (workspaces: readonly PodWorkspace[], pods: readonly Pod[], spec = SPEC) =>
  planPods({ workspaces, pods }, new Map(workspaces.map(one => [one.id, spec])));
const change = { kind: "change", workspaceId: "fleet", deploymentId: "acme.ws_fleet", version: 7 };

describe("the plan of pods", () => {
  it("makes one for a workspace that needs one and is wanted, and for no other", () => {
    expect(plan([workspace()], [])).toEqual([{ kind: "create", workspaceId: "fleet", tenantId: "acme", spec: SPEC }]);
    expect(plan([workspace({ desired: "stopped" })], [])).toEqual([]);
    expect(plan([workspace({ desired: "deleted" })], [])).toEqual([]);
    expect(plan([workspace({ needsPod: false })], [])).toEqual([]);
    expect(planPods({ workspaces: [workspace()], pods: [] }, new Map())).toEqual([]);
  });

  it("leaves one alone that is as it is wanted, whatever the order of its fields", () => {
    const { name, ...rest } = SPEC;
    expect(plan([workspace()], [pod()], { ...rest, name })).toEqual([]);
    expect(planPods({ workspaces: [workspace()], pods: [pod()] }, new Map())).toEqual([]);
  });

  it("gives it another spec, by the version that it has", () => {
    expect(plan([workspace()], [pod()], OTHER)).toEqual([{ ...change, desired: "run", spec: OTHER }]);
  });

  it.each([
    ["stops one whose workspace is stopped", { desired: "stopped" }, "stopped"],
    ["ends one whose workspace is deleted", { desired: "deleted" }, "deleted"],
    ["ends one whose workspace needs none any more", { needsPod: false }, "deleted"],
  ] as const)("%s, once no host of its own has it", (_, over, desired) => {
    expect(plan([workspace(over)], [pod()])).toEqual([{ ...change, desired }]);
    expect(plan([workspace({ ...over, isHeld: true })], [pod()])).toEqual([]);
  });

  it("ends one whose workspace is gone, and only once", () => {
    expect(plan([], [pod()])).toEqual([{ ...change, desired: "deleted" }]);
    expect(plan([], [pod({ desired: "deleted" })])).toEqual([]);
    expect(plan([workspace()], [pod({ desired: "deleted" })])).toEqual([]);
  });

  it("begins one again whose workspace is wanted again", () => {
    expect(plan([workspace()], [pod({ desired: "stopped" })])).toEqual([{ ...change, desired: "run" }]);
  });

  it("is not misled by a workspace of that name of another tenant", () => {
    const [made, ended] = plan([workspace({ tenantId: "other" })], [pod()]);
    expect(made).toMatchObject({ kind: "create", tenantId: "other" });
    expect(ended).toEqual({ ...change, desired: "deleted" });
  });

  it("gives a new spec to few at a time, and at once to one that does not run", () => {
    const ids = ["a", "b", "c", "d", "e", "f"];
    const workspaces = ids.map(id => workspace({ id }));
    const pods = (over: (id: string) => Partial<Pod["deployment"]>, locations?: readonly Partial<Location>[]) =>
      ids.map(id => pod({ id: podId("acme", id), ...over(id) }, locations));
    const first = plan(
      workspaces,
      pods(() => ({})),
      OTHER,
    );
    expect(first.map(one => one.workspaceId)).toEqual(ids.slice(0, MOST_CHANGING));
    const under = (id: string) => (ids.indexOf(id) < MOST_CHANGING ? { release: 2 } : {});
    const next = plan(workspaces.slice(MOST_CHANGING), pods(under), OTHER);
    expect(next.filter(one => one.kind === "change" && one.desired === "run")).toEqual([]);
    expect(
      plan(
        workspaces,
        pods(() => ({}), [{ state: "starting" }]),
        OTHER,
      ),
    ).toHaveLength(ids.length);
  });
});

describe("a workspace without a host", () => {
  it.each([
    ["which is stopped", pod({ desired: "stopped" })],
    ["to get a node: it is placed next", pod({}, [])],
    [
      "which is preparing on node node-1: it pulls the image",
      pod({}, [{ state: "preparing", message: "it pulls the image" }]),
    ],
    ["which runs on node node-1, to report.", pod({}, [{ state: "running", health: "healthy" }])],
    ["A container of it is unhealthy.", pod({}, [{ state: "running", health: "unhealthy" }])],
  ])("waits for its pod: %s", (words, one) => {
    expect(whyPodWaits(one)).toContain("waits for");
    expect(whyPodWaits(one)).toContain(words);
  });

  it("says why its pod has no node", () => {
    const one = pod({}, []);
    const removed = [{ filter: "memory", nodes: 3, sentence: "3 nodes have too little memory" }];
    const instance = { ...one.instances[0]!.instance, refusal: { removed, advice: "" } };
    expect(whyPodWaits({ ...one, instances: [{ instance, locations: [] }] })).toContain("too little memory");
    expect(whyPodWaits(undefined)).toBeUndefined();
  });
});
