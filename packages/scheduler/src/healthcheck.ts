import { get } from "node:http";

/** Whether this container's scheduler answers 200 on /livez of `port`, within 3 s. */
export function isHealthy(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: "127.0.0.1", port, path: "/livez", timeout: 3_000 }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", () => resolve(false));
  });
}
