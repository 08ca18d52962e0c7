import { describe, expect, it } from "vitest";
import { chooseLayout, layoutOf, type LayoutNode } from "./layout.ts";

type Role = LayoutNode["Spec"]["Role"];

function nodes(managers: number, workers: number, labels: Record<string, string> = {}): readonly LayoutNode[] {
  const node = (Role: Role, Labels = {}): LayoutNode => ({ Spec: { Role, Availability: "active", Labels } });
  return [
    ...Array.from({ length: managers }, () => node("manager")),
    ...Array.from({ length: workers }, () => node("worker", labels)),
  ];
}

describe("the layout of a Swarm", () => {
  it.each([
    [
      "one node",
      nodes(1, 0),
      "1",
      "allow",
      "node.role == manager",
      "1 manager, 0 workers: tenants also run on managers",
    ],
    ["managers only", nodes(3, 0), "3", "allow", "node.role == manager", "for there is no other node"],
    ["a scheduler on each node", nodes(1, 2), "3", "allow", undefined, "for every node has a scheduler"],
    [
      "more nodes than schedulers",
      nodes(1, 5),
      "3",
      "avoid",
      undefined,
      "tenants run on workers, and on a manager only",
    ],
    [
      "managers for all schedulers",
      nodes(3, 4),
      "3",
      "avoid",
      "node.role == manager",
      "3 managers, 4 workers: tenants run",
    ],
  ] as const)("of %s", (_, given, replicas, tenants, constraint, sentence) => {
    const { env, sentences } = chooseLayout(given, {});
    expect(env["SKEP_SCHEDULER_REPLICAS"]).toBe(replicas);
    expect(env["SKEP_TENANTS_ON_MANAGERS"]).toBe(tenants);
    expect(env["SKEP_SCHEDULER_CONSTRAINT"]).toBe(constraint);
    expect(sentences[1]).toContain(sentence);
  });

  it("runs one host and one gate more than is needed, where there is a node for it", () => {
    const chosen = (count: number): unknown => {
      const { env } = chooseLayout(nodes(1, count - 1), {});
      return [env["SKEP_WORKSPACE_HOSTS"], env["SKEP_GATES"]];
    };
    expect([chosen(1), chosen(2), chosen(5)]).toEqual([
      ["1", "1"],
      ["2", "2"],
      ["2", "2"],
    ]);
  });

  it("tells pods of the API at each node that may have a scheduler", () => {
    const at = (Role: Role, Addr: string): LayoutNode => ({ Spec: { Role, Availability: "active" }, Status: { Addr } });
    const small = [at("manager", "10.0.0.1"), at("worker", "10.0.0.2")];
    const url = (given = {}): string | undefined => chooseLayout(small, given).env["SKEP_WORKSPACE_API_URL"];
    expect(url()).toBe("http://10.0.0.1:7700,http://10.0.0.2:7700");
    expect(url({ SKEP_SCHEDULER_REPLICAS: "1", SKEP_API_PUBLISHED_PORT: "7701" })).toBe("http://10.0.0.1:7701");
    const alone = (address: string) => chooseLayout([at("manager", address)], {}).env["SKEP_WORKSPACE_API_URL"];
    expect(["127.0.0.1", "0.0.0.0", "10.0.0.1"].map(alone)).toEqual(["", "", "http://10.0.0.1:7700"]);
  });

  it("counts a worker with the database or the operator's label to the control plane", () => {
    for (const labels of [{ "postgres.replica": "1" }, { "skep.control": "true" }])
      expect(chooseLayout(nodes(3, 1, labels), {}).sentences[1]).toContain("there is no other node");
    const freed = [...nodes(3, 0), ...nodes(0, 1, { "skep.control": "false" })];
    expect(chooseLayout(freed, {}).env["SKEP_TENANTS_ON_MANAGERS"]).toBe("avoid");
  });

  it("counts no node that takes no work", () => {
    const drained: LayoutNode = { Spec: { Role: "worker", Availability: "drain" } };
    expect(chooseLayout([...nodes(1, 0), drained], {}).env).toMatchObject({
      ...{ SKEP_SCHEDULER_REPLICAS: "1", SKEP_TENANTS_ON_MANAGERS: "allow" },
    });
  });

  it("leaves what was given as it is", () => {
    const given = {
      ...{ SKEP_SCHEDULER_REPLICAS: "2", SKEP_SCHEDULER_CONSTRAINT: "node.labels.skep.control == true" },
      ...{ SKEP_TENANTS_ON_MANAGERS: "never", SKEP_WORKSPACE_HOSTS: "4", SKEP_GATES: "3" },
      SKEP_WORKSPACE_API_URL: "http://schedulers.example.com",
    };
    const { env, sentences } = chooseLayout(nodes(3, 4), given);
    expect(env).toEqual(given);
    expect(sentences[1]).toContain("tenants run on workers only");
    expect(chooseLayout(nodes(3, 0), given).sentences[1]).toContain("add a worker");
  });

  it("moves no scheduler of a stack that runs", async () => {
    const service = (Name: string) => ({
      Spec: { Name, TaskTemplate: { Placement: { Constraints: ["node.platform.os == linux"] } } },
    });
    const manager = {
      socket: "/nowhere.sock",
      docker: () => Promise.reject(new Error("nothing is changed")),
      get: <T>(path: string): Promise<T> =>
        Promise.resolve(
          (path === "/nodes" ? nodes(3, 4) : [service("skep_scheduler2"), service("skep_scheduler")]) as T,
        ),
    };
    const { env, sentences } = await layoutOf(manager, "skep", {});
    expect(env["SKEP_SCHEDULER_CONSTRAINT"]).toBe("node.platform.os == linux");
    expect(sentences[0]).toContain("one may run beside tenants");
    expect((await layoutOf(manager, "other", {})).env["SKEP_SCHEDULER_CONSTRAINT"]).toBe("node.role == manager");
  });

  it("lets schedulers onto workers again once there are too few managers", () => {
    const of = (managers: number) => chooseLayout(nodes(managers, 4), {}, "node.role == manager").env;
    expect(of(3)["SKEP_SCHEDULER_CONSTRAINT"]).toBe("node.role == manager");
    expect(of(1)["SKEP_SCHEDULER_CONSTRAINT"]).toBeUndefined();
  });
});
