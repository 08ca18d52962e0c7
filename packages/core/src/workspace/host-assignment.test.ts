import { expect, test } from "vitest";
import { whyRefused, type HostAssignment } from "./host-assignment.ts";

const assignment = (over: Partial<HostAssignment> = {}): HostAssignment => ({
  ...{ hostId: "host_1", incarnation: "inc_1", term: 3, revision: 7, workspaces: [] },
  ...over,
});
const why = (next: Partial<HostAssignment>, held?: HostAssignment): string | undefined =>
  whyRefused(held, assignment(next), "host_1");

test("A host takes what is for it, the first one whatever its numbers, and then nothing older", () => {
  const held = assignment();
  expect(why({ term: 0, revision: 0 })).toBeUndefined();
  expect(why({}, held)).toBeUndefined();
  expect(why({ term: 4, revision: 7 }, held)).toBeUndefined();
  expect(why({ hostId: "host_2" })).toBe("it is for host host_2 and this is host_1");
  expect(why({ term: 2, revision: 9 }, held)).toBe("its term 2 is lower than 3");
  expect(why({ term: 4, revision: 6 }, held)).toBe("its revision 6 is lower than 7");
});

test("The numbers of another database begin anew", () => {
  expect(why({ incarnation: "inc_2", term: 1, revision: 1 }, assignment())).toBeUndefined();
});
