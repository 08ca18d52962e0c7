import { describe, expect, it } from "vitest";
import { isHostAddress, namespaceOf, originOf, pathOf, readWorkspacePath, socketPathOf } from "./reach.ts";

describe("the path of a workspace", () => {
  it("is one for namespace, path and sockets", () => {
    expect([namespaceOf("fleet"), pathOf("fleet"), socketPathOf("fleet")]).toEqual([
      ...["/ws/fleet", "/ws/fleet/", "/ws/fleet/socket.io"],
    ]);
  });

  it("is read back with what follows it", () => {
    expect(readWorkspacePath("/ws/fleet/socket.io/")).toEqual({ workspaceId: "fleet", rest: "/socket.io/" });
    const rest = "/skep.v1.MessageService/List";
    expect(readWorkspacePath(`/ws/fleet-2${rest}`)).toEqual({ workspaceId: "fleet-2", rest });
  });

  it.each([
    ...["", "/", "/ws", "/ws/", "/ws/fleet", "/ws/fleet/", "/ws//fleet/x", "//ws/fleet/x", "/ws/fleet//x"],
    ...["/ws/fleet/../other/x", "/ws/fleet/./x", "/ws/../ws/fleet/x", "/ws/fleet/..", "/ws/fleet/x/.."],
    ...["/ws/fleet%2F..%2Fother/x", "/ws/fleet/%2e%2e/other/x", "/ws/fleet/x%00", "/ws/fleet\\x/y", "/ws/fleet;a=b/x"],
    ...["/ws/Fleet/x", "/ws/-fleet/x", "/ws/fleet./x", `/ws/${"a".repeat(41)}/x`, "/x/ws/fleet/x", "ws/fleet/x"],
    "/ws/fleet/x?y",
  ])("is not %j", path => {
    expect(readWorkspacePath(path)).toBeUndefined();
  });
});

describe("the origin of a workspace's host", () => {
  const reach = { workspaceId: "fleet", address: "10.0.0.7", port: 7_704, isServed: true };

  it("is its address and port, whatever form the address has", () => {
    expect(originOf(reach)).toBe("http://10.0.0.7:7704");
    expect(originOf({ ...reach, address: "fd00::7" })).toBe("http://[fd00::7]:7704");
    expect(originOf({ ...reach, address: "host-1.example" })).toBe("http://host-1.example:7704");
  });

  it.each([{ isServed: false }, { port: 0 }, { address: "" }, { address: "a/b" }, { address: "a@b" }])(
    "is none where it is %j",
    over => {
      expect(originOf({ ...reach, ...over })).toBeUndefined();
    },
  );

  it.each(["a b", "a/b", "u@h", "h#", "[::1]", "-h", "h.", "a".repeat(254), "h`"])("is never one of %j", text => {
    expect(isHostAddress(text)).toBe(false);
  });
});
