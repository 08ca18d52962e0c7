import type { ExecOutput } from "@skep/api/codec/ask-reply.ts";
import type { Ask } from "@skep/api/codec/ask.ts";
import { SkepError } from "@skep/core/error.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand, startCommandTest } from "../testing/command.ts";
import type { CommandTest } from "../testing/command.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("skep exec", () => {
  let test: CommandTest;
  let asked: Ask[] = [];
  let output: readonly ExecOutput[] = [];
  let exitCode = 0;
  let error: SkepError | undefined;
  beforeAll(async () => {
    test = await startCommandTest();
    test.write("compose.yaml", "services:\n  web:\n    image: nginx\n    deploy: { replicas: 2 }\n");
    await test.skep("deploy");
    for (const node of ["node1", "node2"])
      test.platform.answer(node, ask => {
        asked.push(ask);
        if (ask.kind !== "exec") return [];
        if (error !== undefined) return [{ kind: "error", error }];
        const { streamId } = ask;
        return [
          { kind: "exec", streamId, seq: 0, output, exitCode: undefined },
          { kind: "exec", streamId, seq: 1, output: [], exitCode },
        ];
      });
  });
  beforeEach(() => {
    [asked, output, exitCode, error] = [[], [], 0, undefined];
  });
  afterAll(() => test[Symbol.asyncDispose]());

  it("prints what the command prints, where it prints it, and ends with its exit code", async () => {
    output = [
      { stream: "stdout", data: bytes("out\n") },
      { stream: "stderr", data: bytes("err\n") },
    ];
    exitCode = 42;
    expect(await test.skep("exec app-web.2 -c app -- ls -l --output json")).toEqual({
      code: 42,
      out: "out\n",
      err: "err\n",
    });
    expect(asked[0]).toMatchObject({ instanceId: "default.app-web.2", argv: ["ls", "-l", "--output", "json"] });
  });

  it("chooses a running instance of a deployment", async () => {
    expect(await test.skep("exec app-web -- true")).toEqual({ code: 0, out: "", err: "" });
    expect(asked[0]).toMatchObject({ kind: "exec", instanceId: expect.stringMatching(/^default\.app-web\.\d$/) });
  });

  it("passes its input on where that is asked for, up to 1 MiB", async () => {
    const readBytes = (): Uint8Array => bytes("hello");
    await test.skep("exec app-web -i -- cat", { readBytes });
    expect(asked).toContainEqual(expect.objectContaining({ kind: "exec-input", data: bytes("hello") }));
    asked = [];
    await test.skep("exec app-web -- cat", { readBytes });
    expect(asked[0]).toMatchObject({ stdinBytes: 0 });
    const { code, err } = await test.skep("exec app-web -i -- cat", { readBytes: most => new Uint8Array(most) });
    expect(code).toBe(2);
    expect(err).toContain("larger than 1 MiB");
  });

  it("says in the engine's words that a program is not there, and ends as a shell would", async () => {
    error = new SkepError("failed_precondition", "PROGRAM_NOT_RUN", 'exec: "nope": executable file not found in $PATH');
    const { code, err } = await test.skep("exec app-web -- nope -o json");
    expect(code).toBe(127);
    expect(err).toBe('skep: exec: "nope": executable file not found in $PATH.\n');
  });

  it("tells programs in JSON, a message per line", async () => {
    output = [{ stream: "stdout", data: bytes("out") }];
    exitCode = 3;
    const { code, out } = await test.skep("exec app-web -o json -- ls");
    expect(code).toBe(3);
    expect(
      out
        .trim()
        .split("\n")
        .map(line => JSON.parse(line) as unknown),
    ).toEqual([{ stdout: Buffer.from("out").toString("base64") }, { exitCode: 3 }]);
  });

  it("names what is wrong with the name, the container and the time", async () => {
    expect(await test.skep("exec nope -- ls")).toMatchObject({ code: 5 });
    expect(await test.skep("exec app-web.99 -- ls")).toMatchObject({ code: 5 });
    expect((await test.skep("exec app-web -c nope -- ls")).err).toContain("It has: ");
    expect(await test.skep("exec app-web --timeout 9999 -- ls")).toMatchObject({ code: 2 });
    expect(await test.skep("exec app-web")).toMatchObject({ code: 2 });
  });

  it("says in its help that there is no terminal", async () => {
    expect((await runCommand("exec --help")).out).toContain("no terminal (TTY)");
  });
});
