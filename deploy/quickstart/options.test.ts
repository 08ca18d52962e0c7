import { describe, expect, it } from "vitest";
import { parseStartOptions, USAGE } from "./options.ts";

describe("the options of a start", () => {
  it("bring workspaces unless somebody wants the bare fleet", () => {
    expect(parseStartOptions([])).toMatchObject({ workspaces: true, mqttPort: 1883 });
    expect(parseStartOptions(["--no-workspaces"])).toMatchObject({ workspaces: false });
    expect(parseStartOptions(["--mqtt-port", "1884"])).toMatchObject({ workspaces: true, mqttPort: 1884 });
  });

  it("are refused where a port is none, or an option is not known", () => {
    expect(() => parseStartOptions(["--mqtt-port", "70000"])).toThrow("--mqtt-port 70000: not a whole number");
    expect(() => parseStartOptions(["--fast"])).toThrow("--fast");
  });

  it("stand in the help", () => {
    for (const option of ["--nodes", "--port", "--api-port", "--mqtt-port", "--no-workspaces", "--keep", "--fleet"])
      expect(USAGE).toContain(option);
  });
});
