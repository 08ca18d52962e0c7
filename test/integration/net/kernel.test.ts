import { describeKernel } from "@skep/netd/kernel/kernel.contract.ts";
import { openNetRig } from "../../support/net-rig.ts";

describeKernel("the kernel of this machine", async () => {
  const rig = await openNetRig(1);
  const [one, two] = [await rig.sandbox("one"), await rig.sandbox("two")];
  const kernel = rig.nodes[0]!.newKernel();
  return {
    kernel,
    namespaces: [one, two] as const,
    end: path => rig.removeSandbox(path.split("-").at(-1) ?? ""),
    close: () => rig.close(),
  };
});
