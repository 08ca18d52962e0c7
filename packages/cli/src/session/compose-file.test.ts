import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Io } from "../io.ts";
import { readComposeFiles } from "./compose-file.ts";
import type { ComposeOptions } from "./compose-file.ts";

let folder: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "compose-"));
  said = "";
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function read(
  options: ComposeOptions = {},
  env: Io["env"] = {},
  services: readonly string[] = [],
): readonly DeploymentSpec[] {
  const err = (text: string | Uint8Array): void => void (said += String(text));
  const io = { cwd: folder, env, err, readInput: () => "services: { web: { image: '${I}' } }" } as unknown as Io;
  return readComposeFiles(io, services, options).deployments;
}

/** The image of each container, by its name. */
function images(...args: Parameters<typeof read>): Readonly<Record<string, string>> {
  const containers = read(...args).flatMap(spec => spec.containers);
  return Object.fromEntries(containers.map(({ name, image }) => [name, image]));
}

function refusal(...args: Parameters<typeof read>): string {
  try {
    read(...args);
  } catch (error) {
    const { message, issues } = error as { message: string; issues: readonly { path: string; problem: string }[] };
    return [message, ...issues.map(issue => `${issue.path} ${issue.problem}`)].join("\n");
  }
  throw new Error("the files were taken");
}

const WEB = "services: { web: { image: '${I:-a}', env_file: web.env } }\n";

describe("files of a project", () => {
  it("are those that are named, in their order, with paths from beside the first", () => {
    write({
      "base/compose.yaml": WEB,
      "base/web.env": "A=1\n",
      "more/compose.yaml": "services: { web: { user: me }, db: { image: b } }\n",
    });
    const file = ["base/compose.yaml", "more/compose.yaml"];
    const [web, db] = read({ file });
    expect(web?.containers[0]).toMatchObject({ image: "a", user: "me", env: { A: "1" } });
    expect(db?.service).toBe("db");
    expect(images({}, { COMPOSE_FILE: file.join(":") })).toEqual({ web: "a", db: "b" });
    expect(refusal({ file, projectDirectory: "more" })).toContain("base/compose.yaml:1:48 services.web.env_file");
  });

  it("are a project called as the command line says, the environment, or the folder", () => {
    write({ "shop/compose.yaml": "services: { web: { image: a } }", ".env": "COMPOSE_PROJECT_NAME=dot" });
    const file = ["shop/compose.yaml"];
    const name = (...args: Parameters<typeof read>): unknown => read(...args)[0]?.name;
    expect(name({ file })).toBe("shop-web");
    expect(name({ file, envFile: [".env"] })).toBe("dot-web");
    expect(name({ file }, { COMPOSE_PROJECT_NAME: "env" })).toBe("env-web");
    expect(name({ file, projectName: "given" }, { COMPOSE_PROJECT_NAME: "env" })).toBe("given-web");
  });

  it("are the usual one and what overrides it, which is said", () => {
    write({
      "compose.yaml": "services: { web: { image: a } }",
      "compose.override.yaml": "services: { web: { image: b } }",
    });
    expect(images()).toEqual({ web: "b" });
    expect(said).toContain("compose.override.yaml changes what compose.yaml says");
    expect(images({ file: ["compose.yaml"] })).toEqual({ web: "a" });
  });

  it("have variables of `.env`, of named files instead, and of the environment above both", () => {
    write({ ".env": "I=dot\n", "one.env": "X=one\n", "two.env": "I=${X}-two\n", "compose.yaml": WEB, "web.env": "" });
    expect(images()).toEqual({ web: "dot" });
    expect(images({ envFile: ["one.env", "two.env"] })).toEqual({ web: "one-two" });
    expect(images({}, { COMPOSE_ENV_FILES: "one.env,two.env" })).toEqual({ web: "one-two" });
    expect(images({ envFile: ["two.env"] }, { I: "mine" })).toEqual({ web: "mine" });
    expect(images({ file: ["-"] })).toEqual({ web: "dot" });
    expect(refusal({ envFile: ["no.env"] })).toContain("no.env cannot be read (it is not there)");
    write({ "one.env": 'A=1\nB="x\n' });
    expect(refusal({ envFile: ["one.env"] })).toContain("one.env:2: a quote is opened and never closed");
  });

  it("choose profiles by option and by variable", () => {
    write({
      "compose.yaml": "services: { a: { image: a, profiles: [x] }, b: { image: b, profiles: [y] }, c: { image: c } }",
      ".env": "COMPOSE_PROFILES=y\n",
    });
    expect(Object.keys(images({ profile: ["x"] }))).toEqual(["a", "b", "c"]);
    expect(Object.keys(images({}, {}, ["a"]))).toEqual(["a"]);
  });

  it("include and extend others, each named as it is seen from here", () => {
    write({
      "compose.yaml":
        "include: [part/compose.yaml]\nservices: { web: { extends: { file: part/base.yaml, service: base } } }",
      "part/compose.yaml": "include: [../compose.yaml]\nservices: { db: { image: b, pid: host } }",
      "part/base.yaml": "services: { base: { image: a, ipc: host } }",
    });
    const said = refusal();
    expect(said).toContain(
      "part/compose.yaml:1:11 include[0]: the files include each other: compose.yaml → part/compose.yaml",
    );
    expect(said).toContain("part/compose.yaml:2:29 services.db.pid");
    expect(said).toContain("part/base.yaml:1:31 services.web.ipc");
  });

  it("are refused where one is missing, too large or a directory", () => {
    write({ "dir/x": "", "large.yaml": "#".repeat(1_000_001) });
    expect(refusal()).toContain("There is no Compose file in");
    expect(refusal({ file: ["no.yaml"] })).toContain("The file no.yaml cannot be read (it is not there)");
    expect(refusal({ file: ["dir"] })).toContain("it is a directory");
    expect(refusal({ file: ["large.yaml"] })).toContain("it is too large");
  });
});
