import { describe, expect, it } from "vitest";
import type { Deployment } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import { aDeployment, aLocation, anInstance, aSpec, aVolume } from "../testing/builders.ts";
import { aConnector } from "../testing/connector.ts";
import {
  leavingPods,
  MOST_CHANGING,
  planPods,
  whatIsWrong,
  whyPodWaits,
  type Pod,
  type PodWorkspace,
} from "./plan-pods.ts";
import { podId } from "./pod.ts";

const SPEC = aSpec({ name: "ws_fleet" });
const OTHER = aSpec({ name: "ws_fleet", stopGraceMs: 1 });

const workspace = (over: Partial<PodWorkspace> = {}): PodWorkspace => ({
  ...{ id: "fleet", tenantId: "acme", desired: "run", connector: aConnector(), needsPod: true, isHeld: false },
  ...{ removesData: false, podProblem: "" },
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
  planPods({ workspaces, pods, volumes: [] }, new Map(workspaces.map(one => [one.id, spec])));
const change = { kind: "change", workspaceId: "fleet", deploymentId: "acme.ws_fleet", version: 7 };

describe("the plan of pods", () => {
  it("makes one for a workspace that needs one and is wanted, and for no other", () => {
    expect(plan([workspace()], [])).toEqual([{ kind: "create", workspaceId: "fleet", tenantId: "acme", spec: SPEC }]);
    expect(plan([workspace({ desired: "stopped" })], [])).toEqual([]);
    expect(plan([workspace({ desired: "deleted" })], [])).toEqual([]);
    expect(plan([workspace({ needsPod: false })], [])).toEqual([]);
    expect(planPods({ workspaces: [workspace()], pods: [], volumes: [] }, new Map())).toEqual([]);
  });

  it("leaves one alone that is as it is wanted, whatever the order of its fields", () => {
    const { name, ...rest } = SPEC;
    expect(plan([workspace()], [pod()], { ...rest, name })).toEqual([]);
    expect(planPods({ workspaces: [workspace()], pods: [pod()], volumes: [] }, new Map())).toEqual([]);
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

  it("gives up the volumes of one that is dropped with its data, and of no other, once its pod is gone", () => {
    const dropped = workspace({ desired: "deleted", removesData: true });
    const [broker, other] = [
      aVolume({ owner: "acme.ws_fleet", name: "broker" }),
      aVolume({ owner: "acme.ws_other", name: "broker" }),
    ];
    const giveUp = { kind: "give-up", workspaceId: "fleet", deploymentId: "acme.ws_fleet", volume: broker };
    const records = { workspaces: [dropped], pods: [], volumes: [broker, other] };
    expect(planPods(records, new Map())).toEqual([giveUp]);
    expect(planPods({ ...records, pods: [pod({ desired: "deleted" })] }, new Map())).toEqual([]);
    expect(planPods({ ...records, workspaces: [{ ...dropped, removesData: false }] }, new Map())).toEqual([]);
  });

  it("has the record of such a one stay until its pod and its volumes have left", () => {
    const records = { workspaces: [workspace({ desired: "deleted", removesData: true })], pods: [], volumes: [] };
    expect([...leavingPods(records)]).toEqual([]);
    expect([...leavingPods({ ...records, pods: [pod({ desired: "deleted" })] })]).toEqual(["fleet"]);
    expect([...leavingPods({ ...records, volumes: [aVolume({ owner: "acme.ws_fleet" })] })]).toEqual(["fleet"]);
    expect([...leavingPods({ ...records, workspaces: [workspace()], pods: [pod()] })]).toEqual([]);
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
    [
      "which runs on node node-1, to report; where that lasts, see skep logs acme.ws_fleet: it may not find",
      pod({}, [{ state: "running", health: "healthy" }]),
    ],
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

describe("what is wrong with a pod", () => {
  const refused = (sentences: readonly string[], advice: string): Pod => {
    const one = pod({}, []);
    const removed = sentences.map(sentence => ({ filter: "memory", nodes: 3, sentence }));
    return {
      ...one,
      instances: [{ instance: { ...one.instances[0]!.instance, refusal: { removed, advice } }, locations: [] }],
    };
  };
  it.each([
    [
      "no node takes its pod acme.ws_fleet: 3 nodes have too little memory; ask for less (skep explain acme.ws_fleet)",
      refused(["3 nodes have too little memory"], "ask for less"),
    ],
    ["acme.ws_fleet: no node runs an agent yet (", refused([], "no node runs an agent yet")],
    [
      "does not begin on node node-1: the image a:1 cannot be pulled: it is not there; bring that image to the registry",
      pod({}, [{ state: "preparing", message: "the image a:1 cannot be pulled: it is not there" }]),
    ],
    [
      "is starting on node node-1: host cannot be started: no such file; see skep logs acme.ws_fleet",
      pod({}, [{ state: "starting", message: "host cannot be started: no such file" }]),
    ],
    ["is failed on node node-1: it does not say why; see", pod({}, [{ state: "failed", message: "" }])],
    ["on node node-1 is unhealthy: see skep logs", pod({}, [{ state: "running", health: "unhealthy", message: "" }])],
  ])("is said with what to do: %s", (words, one) => {
    expect(whatIsWrong(one)).toContain(words);
  });

  it("is nothing while it may come by itself", () => {
    const fine = [
      pod({}, []),
      pod({}, [{ state: "preparing", message: "the image a:1 is pulled" }]),
      pod({}, [{ state: "preparing", message: "pulling a:1: 40 %" }]),
      pod({}, [{ state: "running", health: "healthy" }]),
      pod({ desired: "stopped" }, [{ state: "failed", message: "host is given up: x" }]),
    ];
    expect(fine.map(whatIsWrong)).toEqual(fine.map(() => undefined));
  });
});
