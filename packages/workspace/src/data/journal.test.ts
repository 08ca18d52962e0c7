import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { notHere } from "./call.ts";
import { followJournal } from "./follow-journal.ts";
import { createJournal, type JournalLine } from "./journal.ts";
import type { ServedWorkspace } from "./served.ts";

const log = () => createRecordingLog();

it("keeps the lines that name a workspace, says all of them, and shows no secret", () => {
  const to = log();
  const journal = createJournal(to, () => 5);
  journal.log.info("a.happened", "A.", { workspaceId: "fleet", secret: "x", n: 1 });
  journal.log.warn("b.happened", "B.", { workspaceId: "other" });
  journal.log.child({ workspaceId: "fleet" }).error("c.happened", "C.", { error: new Error("why") });
  journal.log.debug("d.happened", "D.", { workspaceId: "fleet" });
  journal.log.info("e.happened", "E.");
  expect(to.lines.map(one => one.event)).toEqual(["a", "b", "c", "d", "e"].map(name => `${name}.happened`));
  expect(journal.linesOf("fleet")).toMatchObject([
    { at: 5, level: "info", event: "a.happened", sentence: "A.", fields: { secret: "***", n: 1 } },
    { level: "error", event: "c.happened", fields: { error: { message: "why" } } },
  ]);
  expect(journal.linesOf("nobody")).toEqual([]);
});

it("forgets the oldest lines, and the workspaces that were silent longest", () => {
  const journal = createJournal(log(), () => 0);
  for (let n = 0; n < 510; n += 1) journal.log.info("a.happened", `${n}`, { workspaceId: "fleet" });
  expect(journal.linesOf("fleet").map(one => one.sentence)[0]).toBe("10");
  for (let n = 0; n < 1_000; n += 1) journal.log.info("a.happened", "A.", { workspaceId: `w${n}` });
  expect(journal.linesOf("fleet")).toEqual([]);
  expect(journal.linesOf("w0")).toHaveLength(1);
});

it("is followed by the lines of one workspace, until the host does not have it", async () => {
  const clock = createVirtualClock();
  const journal = createJournal(log(), () => 0);
  const say = (sentence: string, workspaceId = "fleet"): void => journal.log.info("a.b", sentence, { workspaceId });
  let isOwned = true;
  const served = { id: "fleet", mayRead: () => isOwned } as ServedWorkspace;
  const follow = (wanted: { follow: boolean; tail: number }) =>
    followJournal(served, journal, wanted, { clock, signal: new AbortController().signal });
  say("one");
  say("two");
  say("none", "other");
  const sentences = (lines: readonly JournalLine[]): string[] => lines.map(one => one.sentence);
  const tail: string[][] = [];
  for await (const one of follow({ follow: false, tail: 1 })) tail.push(sentences(one.lines));
  expect(tail).toEqual([["two"]]);
  const all = follow({ follow: true, tail: 0 });
  expect(sentences((await all.next()).value!.lines)).toEqual([]);
  const piece = all.next();
  for (let n = 0; n < 1_002; n += 1) say(`live ${n}`);
  say("none", "other");
  const { lines, notice } = (await piece).value!;
  expect([lines.length, notice]).toEqual([1_000, "2 lines were left out because this reader is slow"]);
  isOwned = false;
  await expect(all.next()).rejects.toThrow(notHere("fleet").message);
});
