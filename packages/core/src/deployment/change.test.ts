import { describe, expect, it } from "vitest";
import { aContainer, aDeployment, aRelease, aSpec } from "../testing/builders.ts";
import { changedRecord, firstRecord } from "./change.ts";

const record = { deployment: aDeployment({ resourceVersion: 4 }), release: aRelease() };
const data = [{ name: "data", target: "/data", readOnly: false }];

describe("firstRecord", () => {
  it("is release 1 of what the spec says", () => {
    expect(firstRecord("acme", aSpec({ replicas: 3 }), 7)).toMatchObject({
      deployment: { id: "acme.web", desired: "run", replicas: 3, release: 1, resourceVersion: 1, createdAt: 7 },
      release: { deploymentId: "acme.web", number: 1 },
    });
  });
});

describe("changedRecord", () => {
  it("makes a new release of a new spec", () => {
    const spec = aSpec({ replicas: 2, containers: [aContainer({ image: "app:2" })] });
    expect(changedRecord(record, { spec }, 4)).toMatchObject({
      deployment: { release: 2, replicas: 2, resourceVersion: 5 },
      release: { number: 2, spec },
    });
  });

  it("makes a new release of the same spec on a restart", () => {
    const after = changedRecord(record, { restart: true }, undefined);
    expect(after.release).toEqual({ ...record.release, number: 2 });
  });

  it("keeps the release where only the replicas change", () => {
    const after = changedRecord(record, { replicas: 5 }, 4);
    expect(after).toMatchObject({ deployment: { release: 1, replicas: 5, resourceVersion: 5 } });
    expect(after.release).toBe(record.release);
  });

  it("is the record itself where nothing changes", () => {
    expect(changedRecord(record, { replicas: 1, desired: "run" }, 4)).toBe(record);
  });

  it("counts a change of the routes alone", () => {
    expect(changedRecord(record, { routes: [] }, 4).deployment.resourceVersion).toBe(5);
  });

  it("refuses a change that is based on another version", () => {
    expect(() => changedRecord(record, { replicas: 2 }, 3)).toThrow(
      /at resource version 4, and this change is based on 3/,
    );
  });

  it("refuses to change what is being deleted, and lets it be deleted once more", () => {
    const deleted = { ...record, deployment: { ...record.deployment, desired: "deleted" as const } };
    expect(changedRecord(deleted, { desired: "deleted" }, undefined)).toBe(deleted);
    expect(() => changedRecord(deleted, { desired: "run" }, undefined)).toThrow(/is being deleted/);
  });

  it("refuses to bring it into a project, out of one, or into another", () => {
    const of = (project: string | undefined) => aSpec({ project, service: project && "web" });
    const at = (project: string | undefined) => ({ ...record, release: aRelease({ spec: of(project) }) });
    expect(() => changedRecord(at(undefined), { spec: of("shop") }, undefined)).toThrow(/belongs to no project/);
    for (const project of [undefined, "store"])
      expect(() => changedRecord(at("shop"), { spec: of(project) }, undefined)).toThrow(/the project shop/);
    expect(changedRecord(at("shop"), { spec: of("shop") }, undefined).release.number).toBe(2);
  });

  it.each([
    ["is exclusive", aSpec({ exclusive: true }), /is exclusive: at most one copy/],
    ["has a volume", aSpec({ containers: [aContainer({ volumes: data })] }), /one replica and a named volume/],
  ])("refuses more copies of what %s", (_, spec, words) => {
    const single = { ...record, release: aRelease({ spec }) };
    expect(() => changedRecord(single, { replicas: 2 }, undefined)).toThrow(words);
  });
});
