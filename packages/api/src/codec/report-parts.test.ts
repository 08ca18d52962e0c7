import { describe, expect, it } from "vitest";
import { createReportParts, splitReport } from "./report-parts.ts";
import { decodeReport, endsFull, type Report } from "./report.ts";

const LIMIT = 16 * 1024;

function aReport(count: number, over: Partial<Report> = {}): Report {
  const statuses = Array.from({ length: count }, (_, at) => ({
    ...{ instanceId: `acme.web.${at}`, epoch: 1, state: "running" as const, health: "healthy" as const },
    ...{ containers: [], ports: [], message: `message ${at}`.padEnd(100, ".") },
  }));
  const mark = { incarnation: "inc-1", appliedTerm: 1, appliedRevision: 2 };
  const lists = { statuses, gone: [{ instanceId: "acme.old.1", epoch: 2 }], strangers: [], usage: [] };
  return {
    nodeId: "node-1",
    sessionId: "ses",
    seq: 0,
    full: true,
    facts: undefined,
    volumes: undefined,
    ...mark,
    ...lists,
    ...over,
  };
}

function split(report: Report): readonly Report[] {
  let seq = 0;
  return splitReport(report, LIMIT, () => ++seq).map(({ bytes }) => {
    expect(bytes.byteLength).toBeLessThanOrEqual(LIMIT);
    const { unreadable: _, ...read } = decodeReport(bytes);
    return read;
  });
}

describe("a report within a limit", () => {
  it("goes as one message where it fits", () => {
    expect(split(aReport(3))).toEqual([aReport(3, { seq: 1 })]);
  });

  it("goes in parts where it does not, and is whole again with the last one", () => {
    const parts = split(aReport(2_000));
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.map(endsFull)).toEqual(parts.map((_, at) => at === parts.length - 1));
    const joined = createReportParts();
    const wholes = parts.map(part => joined.add(part));
    expect(wholes.slice(0, -1)).toEqual(parts.slice(1).map(() => undefined));
    expect(wholes.at(-1)).toEqual(aReport(2_000, { seq: parts.length }));
  });

  it("is no whole where a part is missing, or is of another session", () => {
    const parts = split(aReport(2_000));
    const withGap = createReportParts();
    expect(
      parts
        .toSpliced(2, 1)
        .map(part => withGap.add(part))
        .filter(one => one !== undefined),
    ).toEqual([]);
    const withOther = createReportParts();
    const mixed = parts.map((part, at) => (at === 0 ? { ...part, sessionId: "another" } : part));
    expect(mixed.map(part => withOther.add(part)).filter(one => one !== undefined)).toEqual([]);
  });

  it("cuts what an engine said where one entry alone is too large", () => {
    const [first] = aReport(1).statuses;
    const [part] = split(aReport(0, { gone: [], statuses: [{ ...first!, message: "x".repeat(50_000) }] }));
    expect(part?.statuses[0]?.message).toHaveLength(1_000);
  });
});
