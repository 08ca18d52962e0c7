import { describe, expect, it } from "vitest";
import { canonicalImage, parseImage, withTag } from "./image.ts";

const digest = `sha256:${"0".repeat(64)}`;

describe("an image reference", () => {
  it.each([
    ["nginx", "docker.io", "nginx", undefined, undefined],
    ["nginx:1.27", "docker.io", "nginx", "1.27", undefined],
    ["library/nginx", "docker.io", "nginx", undefined, undefined],
    ["docker.io/library/nginx:1", "docker.io", "nginx", "1", undefined],
    ["index.docker.io/acme/web", "docker.io", "acme/web", undefined, undefined],
    ["acme/web:2", "docker.io", "acme/web", "2", undefined],
    ["localhost/web", "localhost", "web", undefined, undefined],
    ["registry:5000/web", "registry:5000", "web", undefined, undefined],
    ["Registry/web", "Registry", "web", undefined, undefined],
    ["registry.example:5000/team/web:1", "registry.example:5000", "team/web", "1", undefined],
    ["registry.example/library/web", "registry.example", "library/web", undefined, undefined],
    [`nginx@${digest}`, "docker.io", "nginx", undefined, digest],
    [`registry.example/web:1@${digest}`, "registry.example", "web", "1", digest],
  ])("%s is taken apart", (reference, registry, repository, tag, of) => {
    expect(parseImage(reference)).toEqual({ registry, repository, tag, digest: of });
  });

  it.each([
    ["docker.io/library/nginx", "nginx:latest"],
    ["index.docker.io/acme/web:1", "acme/web:1"],
    ["registry:5000/web", "registry:5000/web:latest"],
    [`docker.io/nginx:1@${digest}`, `nginx:1@${digest}`],
  ])("%s is called %s", (reference, name) => {
    expect(canonicalImage(reference)).toBe(name);
  });

  it.each([
    ["docker.io/nginx", "docker.io/nginx:latest"],
    ["registry:5000/web", "registry:5000/web:latest"],
    ["nginx:1", "nginx:1"],
    [`nginx@${digest}`, `nginx@${digest}`],
  ])("%s is pulled as %s", (reference, pulled) => {
    expect(withTag(reference)).toBe(pulled);
  });
});
