import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCommandTest } from "../testing/command.ts";
import type { CommandTest } from "../testing/command.ts";

let test: CommandTest;
beforeEach(async () => (test = await startCommandTest()));
afterEach(() => test[Symbol.asyncDispose]());

/** A file of services by their names, each with lines of its own. */
function file(services: Readonly<Record<string, string>>): string {
  const texts = Object.entries(services).map(([name, more]) => `  ${name}:\n    image: a\n${more}`);
  return `name: shop\nservices:\n${texts.join("")}`;
}

const routed = (name: string): string =>
  `    ports: ["80"]\n    labels:\n      traefik.http.routers.${name}.rule: "Host(\`${name}.example.com\`)"\n`;

/** What a command said, without what every file without limits is told. */
async function run(line: string): Promise<{ code: number; out: string; err: string }> {
  const { code, out, err } = await test.skep(line);
  return { code, out, err: err.replace(/^.*the platform's hold: .*\n/gm, "") };
}

const names = async (): Promise<readonly string[]> =>
  (JSON.parse((await run("apps -o json")).out) as { id: string }[]).map(({ id }) => id);

describe("skep deploy of several services", () => {
  it("changes all or nothing, and names the place of everything that only the platform knows", async () => {
    test.write("compose.yaml", file({ one: routed("one"), two: routed("two") }));
    await run("tenant create first");
    expect((await run("deploy -t first --no-wait")).code).toBe(0);
    test.write("compose.yaml", file({ good: "", one: routed("one"), two: routed("two") }));
    const refused = await run("deploy");
    expect(refused).toMatchObject({ code: 6, out: "" });
    expect(refused.err.split("\n").slice(0, 3)).toEqual([
      "skep: Nothing of the project shop was changed, for 2 reasons:",
      expect.stringMatching(
        /^ {2}compose\.yaml:9:7: services\.one\.labels\.traefik\.http\.routers\.one\.rule: The domain one\.example\.com is routed/,
      ),
      expect.stringMatching(/^ {2}compose\.yaml:14:7: services\.two\.labels\..*two\.example\.com is routed/),
    ]);
    expect(await names()).toEqual([]);
    const json = JSON.parse((await run("deploy -o json")).err) as { error: { issues: { path: string }[] } };
    expect(json.error.issues.map(({ path }) => path)).toEqual(["compose.yaml:9:7", "compose.yaml:14:7"]);
  });

  it("names the service of a whole name that is somebody else's, and says who", async () => {
    test.write("compose.yaml", file({ "a-b": "" }));
    expect((await run("deploy --no-wait")).code).toBe(0);
    test.write("compose.yaml", file({ b: "" }));
    const { code, err } = await run("deploy -p shop-a");
    expect(code).toBe(6);
    expect(err).toContain("compose.yaml:3:3: services.b");
    expect(err).toContain("default.shop-a-b belongs to the project shop");
  });

  it("shows with `--dry-run` what would change, and changes nothing", async () => {
    test.write("compose.yaml", file({ web: "    environment: { SECRET: hush-1 }\n", db: "" }));
    const before = await run("deploy --dry-run");
    expect(before).toMatchObject({
      code: 0,
      out: "default.shop-web  would be created\ndefault.shop-db  would be created\n",
    });
    expect(await names()).toEqual([]);
    await run("deploy --no-wait");
    test.write("compose.yaml", file({ web: "    environment: { SECRET: hush-2 }\n    user: me\n" }));
    const after = await run("deploy --dry-run --prune");
    expect(after.out).toBe(
      "default.shop-web  would be updated  env.SECRET changed, user (none) → me\ndefault.shop-db  would be removed\n",
    );
    expect(after.out + after.err).not.toMatch(/hush/);
    const { out } = await run("deploy --dry-run -o json");
    expect(JSON.parse(out)).toMatchObject({
      deployments: [
        {
          id: "default.shop-web",
          change: "updated",
          changedPaths: ["containers.web.env.SECRET", "containers.web.user"],
        },
        { id: "default.shop-db", change: "left" },
      ],
    });
    expect(await names()).toEqual(["default.shop-db", "default.shop-web"]);
  });

  it("names what has left the files, and removes it only with `--prune`", async () => {
    test.write("compose.yaml", file({ web: "", db: "", debug: "    profiles: [debug]\n" }));
    await run("deploy --profile debug --no-wait");
    // What is not chosen has not left.
    expect((await run("deploy web --prune --no-wait")).out).toBe("default.shop-web  unchanged\n");
    expect((await run("deploy --prune --no-wait")).out).toBe(
      "default.shop-web  unchanged\ndefault.shop-db  unchanged\n",
    );
    test.write("compose.yaml", file({ web: "" }));
    const left = await run("deploy");
    expect(left.code).toBe(0);
    expect(left.out).toContain("default.shop-db  stays  the files do not name it any more; `--prune` removes it\n");
    expect(await names()).toHaveLength(3);
    expect((await run("deploy --prune --no-wait")).out).toBe(
      "default.shop-web  unchanged\ndefault.shop-db  removed\ndefault.shop-debug  removed\n",
    );
    await test.platform.converge();
    expect(await names()).toEqual(["default.shop-web"]);
  });

  it("does nothing twice where the answer of the first try was lost", async () => {
    test.write("compose.yaml", file({ web: "" }));
    let calls = 0;
    test.platform.database.setPolicy((_, call) => {
      const lost = call === "applyProject" && ++calls === 1;
      return { delayMs: 0, lost: lost ? "after" : "no" };
    });
    expect((await run("deploy --no-wait")).out).toBe("default.shop-web  created\n");
    expect(calls).toBe(2);
  });
});

describe("skep project", () => {
  it("lists, shows and removes what belongs together", async () => {
    expect((await run("project list")).err).toContain("Tenant default has no projects");
    test.write("compose.yaml", file({ web: "", db: "" }));
    await run("deploy");
    expect((await run("project ls")).out).toMatch(/^PROJECT +DEPLOYMENTS +AS WANTED\nshop +2 +2\n$/);
    expect((await run("project show shop")).out).toMatch(/\nshop-db +1\/1 .*\nshop-web +1\/1 /);
    expect((await run("project rm nope")).code).toBe(5);
    const removed = await run("project rm shop --volumes");
    expect(removed.out).toBe("default.shop-db: is removed\ndefault.shop-web: is removed\n");
    expect(await names()).toEqual([]);
  });
});
