import { describeBridges } from "./contract/bridge.contract.ts";
import { describeCopies, describeVolumes } from "./contract/volume.contract.ts";
import { describe } from "vitest";
import { describeHistory } from "./contract/history.contract.ts";
import { describeIdentities } from "./contract/identity.contract.ts";
import { describeHosting } from "./contract/hosting.contract.ts";
import { describeKeys } from "./contract/key.contract.ts";
import { describeLeftAlone } from "./contract/left-alone.contract.ts";
import { describeLeases } from "./contract/lease.contract.ts";
import { describeMandates } from "./contract/mandate.contract.ts";
import { describeNumbers } from "./contract/number.contract.ts";
import { describePlans } from "./contract/plan.contract.ts";
import { describeRecoveries } from "./contract/recovery.contract.ts";
import { describeDevices } from "./contract/device.contract.ts";
import { describeGates } from "./contract/gate.contract.ts";
import { describeMoves } from "./contract/move.contract.ts";
import { describePods } from "./contract/pod.contract.ts";
import { describeProjects } from "./contract/project.contract.ts";
import { describeRules } from "./contract/rule.contract.ts";
import { describeScaling } from "./contract/scaling.contract.ts";
import { describeWebhooks } from "./contract/webhook.contract.ts";
import { describeWorkspaces } from "./contract/workspace.contract.ts";
import { prepareStore, type StorePlace } from "./contract/setting.ts";
import { describeSpecs } from "./contract/spec.contract.ts";
import { describeStamps } from "./contract/stamp.contract.ts";
import { describeStatus } from "./contract/status.contract.ts";

/** Every promise of the store's port; run against the twin and against Postgres. */
export function describeStore(place: StorePlace): void {
  describe(`the store: ${place.name}`, () => {
    const setting = prepareStore(place);
    describeIdentities(setting);
    describeLeftAlone(setting);
    describeRecoveries(setting);
    describeLeases(setting);
    describePlans(setting);
    describeStamps(setting);
    describeNumbers(setting);
    describeMandates(setting);
    describeStatus(setting);
    describeSpecs(setting);
    describeHistory(setting);
    describeVolumes(setting);
    describeCopies(setting);
    describeBridges(setting);
    describeKeys(setting);
    describeHosting(setting);
    describeWorkspaces(setting);
    describeRules(setting);
    describeScaling(setting);
    describeWebhooks(setting);
    describeDevices(setting);
    describeGates(setting);
    describeMoves(setting);
    describePods(setting);
    describeProjects(setting);
  });
}
