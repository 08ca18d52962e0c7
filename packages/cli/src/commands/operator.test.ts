import { SkepError } from "@skep/core/error.ts";
import { expect, it } from "vitest";
import { startCommandTest } from "../testing/command.ts";

const WEB = "services:\n  web: { image: 'nginx:1.27' }\n";

it("`skep nodes` and `skep recover` list nodes by name, not by id, and count as people do", async () => {
  await using test = await startCommandTest();
  await test.platform.addNodes({ id: "a", hostname: "n10" }, { id: "z", hostname: "n3" });
  for (const line of ["nodes", "recover"])
    expect((await test.skep(line)).out.match(/^n\d+/gm)).toEqual(["n1", "n2", "n3", "n10"]);
});

it("`skep recover` says when there is nothing to recover, and not while a node is silent", async () => {
  await using test = await startCommandTest();
  expect((await test.skep("recover")).out).toContain("Nothing was changed. `skep recover --yes` writes it");
  const held = { assignment: undefined, epochs: {}, present: [], volumes: [], refused: "" };
  for (const node of ["node1", "node2"]) test.platform.answer(node, () => [{ kind: "held", held }]);
  const { out } = await test.skep("recover");
  expect(out).toContain("The records are those of the fleet.");
  expect(out).toContain("Nothing was changed. Nothing has to be: `skep recover --yes` would only");
});

it("`skep logs` fails where nothing could be read, and not where nothing was printed", async () => {
  await using test = await startCommandTest();
  test.write("compose.yaml", WEB);
  expect((await test.skep("deploy")).code).toBe(0);
  let error: SkepError | undefined = new SkepError("not_found", "NO_SUCH_CONTAINER", "it is not made yet");
  for (const node of ["node1", "node2"])
    test.platform.answer(node, ask => {
      if (ask.kind !== "logs") return [];
      if (error !== undefined) return [{ kind: "error", error }];
      return [{ kind: "logs", streamId: ask.streamId, seq: 0, lines: [], end: true, dropped: 0 }];
    });
  const unread = await test.skep("logs app-web");
  expect(unread.err).toContain("it is not made yet");
  expect(unread.code).toBe(9);
  error = undefined;
  expect(await test.skep("logs app-web")).toMatchObject({ code: 0, out: "" });
});
