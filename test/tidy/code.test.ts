import { describe, expect, it } from "vitest";
import { sources } from "./sources.ts";

const isTest = (file: string): boolean =>
  /\.(test|contract)\.ts$/.test(file) || file.includes("/testing/") || file.startsWith("test/");

/**
 * Lines of the files that match a pattern, as `file:line: text`, so that a failure shows where to
 * look.
 */
function offenders(which: (file: string) => boolean, pattern: RegExp): string[] {
  return sources()
    .filter(({ file }) => which(file))
    .flatMap(({ file, text }) =>
      text
        .split("\n")
        .flatMap((line, index) =>
          pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
}

describe("the code", () => {
  it("keeps promises, clocks and chance out of core", () => {
    expect(
      offenders(
        file => file.startsWith("packages/core/src/") && !isTest(file),
        /\b(async|await|Promise|Date\.now|new Date\(\)|Math\.random|setTimeout|crypto)\b/,
      ),
    ).toEqual([]);
  });

  it("reads the environment only where a program begins", () => {
    const allowed =
      /^(packages\/kit\/src\/config\.ts|packages\/(cli|devswarm)\/src\/|deploy\/|test\/|packages\/api\/gen\.ts)/;
    expect(offenders(file => !allowed.test(file) && !isTest(file), /process\.env/)).toEqual([]);
  });

  it("asks only the Clock for the time in the loops of scheduler and agent", () => {
    const real = /\/(engine\/docker|edge\/|server\/|main\.ts|store\/postgres|probe-server|cgroup|config\.ts)/;
    const loops = (file: string): boolean =>
      /^packages\/(scheduler|agent)\/src\//.test(file) && !isTest(file) && !real.test(file);
    expect(
      offenders(
        loops,
        /\b(Date\.now\(|Math\.random\(|performance\.now\(|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(|setImmediate\()/,
      ),
    ).toEqual([]);
  });

  it("leaves nothing open in the code", () => {
    expect(offenders(file => !file.startsWith("test/tidy/"), /\b(TODO|FIXME|XXX)\b/)).toEqual([]);
  });

  it("uses no enum, namespace or default export", () => {
    expect(
      offenders(
        file => file.endsWith(".ts") && !file.endsWith("vitest.config.ts"),
        /^\s*(export\s+)?(const\s+)?enum\s|^\s*(export\s+)?namespace\s|^export default/,
      ),
    ).toEqual([]);
  });

  it("says of every exported symbol what it is", () => {
    const bare: string[] = [];
    for (const { file, text } of sources()) {
      if (isTest(file) || !file.endsWith(".ts")) continue;
      const lines = text.split("\n");
      lines.forEach((line, index) => {
        if (!/^export (async )?(function\*?|const|class|abstract class|interface|type) /.test(line)) return;
        const above = lines[index - 1]?.trim() ?? "";
        if (!above.endsWith("*/") && !(/^export (async )?function/.test(above) && above.endsWith(";")))
          bare.push(`${file}:${index + 1}: ${line.trim()}`);
      });
    }
    expect(bare).toEqual([]);
  });
});
