import { describeKernel } from "./kernel.contract.ts";
import { createMemoryKernel } from "./memory.ts";

describeKernel("a kernel in memory", async () => {
  const namespaces = ["/run/netns/one", "/run/netns/two"] as const;
  const kernel = createMemoryKernel(namespaces);
  return { kernel, namespaces, end: async namespace => kernel.end(namespace), close: async () => undefined };
});
