import { encodeReport, type Report } from "./report.ts";

/**
 * A part of a report that nothing else is left out of for its sake is still cut to this many
 * characters.
 */
const LONGEST_MESSAGE = 1_000;

type Lists = Pick<Report, "statuses" | "gone" | "strangers" | "usage">;
const LISTS = ["statuses", "gone", "strangers", "usage"] as const;
const NONE: Lists = { statuses: [], gone: [], strangers: [], usage: [] };

/** A report as messages of at most `maxBytes` each; `seq` numbers them, in order. */
export function splitReport(
  report: Omit<Report, "seq" | "part">,
  maxBytes: number,
  seq: () => number,
): readonly { readonly report: Report; readonly bytes: Uint8Array }[] {
  const whole = { ...report, seq: seq() };
  const bytes = encodeReport(whole);
  if (bytes.byteLength <= maxBytes) return [{ report: whole, bytes }];
  const parts = partsOf(report, maxBytes);
  return parts.map((lists, at) => {
    const number = at + 1;
    const one: Report = {
      ...report,
      ...lists,
      facts: at === 0 ? report.facts : undefined,
      volumes: at === 0 ? report.volumes : undefined,
      seq: at === 0 ? whole.seq : seq(),
      ...(report.full ? { part: { number, of: parts.length } } : {}),
    };
    return { report: one, bytes: encodeReport(one) };
  });
}

/** Halves the lists until each part fits, which needs no knowledge of how entries are written. */
function partsOf(report: Omit<Report, "seq" | "part">, maxBytes: number): readonly Lists[] {
  const size = (lists: Lists): number =>
    encodeReport({ ...report, ...lists, seq: Number.MAX_SAFE_INTEGER, part: { number: 2 ** 31, of: 2 ** 31 } })
      .byteLength;
  const split = (lists: Lists): readonly Lists[] => {
    if (size(lists) <= maxBytes) return [lists];
    const entries = LISTS.flatMap(list => lists[list].map(entry => ({ list, entry })));
    if (entries.length <= 1) return [shorten(lists)];
    const half = entries.length >> 1;
    const take = (from: number, to: number): Lists => {
      const some = entries.slice(from, to);
      // Each entry goes back into the list that it came from.
      return Object.fromEntries(
        LISTS.map(list => [list, some.filter(one => one.list === list).map(one => one.entry)]),
      ) as unknown as Lists;
    };
    return [...split(take(0, half)), ...split(take(half, entries.length))];
  };
  return split({ ...NONE, ...pick(report) });
}

function pick({ statuses, gone, strangers, usage }: Lists): Lists {
  return { statuses, gone, strangers, usage };
}

/** One entry alone is too large only by what its engine said. */
function shorten(lists: Lists): Lists {
  const short = <T extends { readonly message: string }>(status: T): T => ({
    ...status,
    message: status.message.slice(0, LONGEST_MESSAGE),
  });
  return {
    ...lists,
    statuses: lists.statuses.map(short),
    strangers: lists.strangers.map(one => ({ ...one, status: short(one.status) })),
  };
}

/** Puts the parts of full reports together, one node after the other or all at once. */
export interface ReportParts {
  /** The report, or the whole that this part completes; `undefined` while parts are missing. */
  add(report: Report): Report | undefined;
}

/**
 * Makes it. Parts that are missed are not waited for: everything is reported again some day.
 */
export function createReportParts(): ReportParts {
  const begun = new Map<string, Report>();
  return {
    add: report => {
      const { nodeId, part } = report;
      if (part === undefined) return report;
      const before = begun.get(nodeId);
      if (part.number === 1) begun.set(nodeId, report);
      else if (before !== undefined && isNext(before, report)) begun.set(nodeId, join(before, report));
      else return undefined;
      if (part.number < part.of) return undefined;
      const { part: _, ...whole } = begun.get(nodeId)!;
      begun.delete(nodeId);
      return whole;
    },
  };
}

function isNext(before: Report, next: Report): boolean {
  const follows = next.seq === before.seq + 1 && next.part?.number === (before.part?.number ?? 0) + 1;
  return before.sessionId === next.sessionId && follows;
}

function join(before: Report, next: Report): Report {
  return {
    ...next,
    facts: before.facts,
    statuses: [...before.statuses, ...next.statuses],
    gone: [...before.gone, ...next.gone],
    strangers: [...before.strangers, ...next.strangers],
    usage: [...before.usage, ...next.usage],
  };
}
