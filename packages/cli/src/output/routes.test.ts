import { expect, it } from "vitest";
import { startCommandTest } from "../testing/command.ts";

const routed = (service: string): string => `
services:
  ${service}:
    image: nginx
    labels:
      traefik.http.routers.web.rule: Host(\`web.example\`)
      traefik.http.services.web.loadbalancer.server.port: "80"
`;

it("says of both deployments that ask for one domain that they share it", async () => {
  await using test = await startCommandTest();
  test.write("compose.yaml", routed("one"));
  test.write("two.yaml", routed("two"));
  expect((await test.skep("deploy --no-wait")).err).not.toContain("as well");
  const shared = "web.example/ of app-two is asked for by app-one as well: they share its requests";
  expect((await test.skep("deploy -f two.yaml --no-wait")).err).toContain(shared);
  const { out } = await test.skep("routes");
  expect(out).toContain(shared);
  expect(out).toContain("web.example/ of app-one is asked for by app-two as well");
});
