import type { DeploymentId } from "../model/deployment.ts";
import type { Instance, InstanceId, InstanceState, Location, PortBinding, Refusal } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import type { Volume } from "../model/volume.ts";

/**
 * One change to the records. Each names what it was based on, so that a commit can refuse a stale
 * plan.
 */
export type Change =
  /**
   * A new instance, epoch 0; `serial` must equal the deployment's `nextSerial`, which the commit
   * advances.
   */
  | { readonly kind: "create-instance"; readonly instance: Instance; readonly serial: number }
  /** The instance is to end: all its locations get `stop`. */
  | { readonly kind: "stop-instance"; readonly instanceId: InstanceId; readonly because: string }
  /**
   * A location at `epoch` = the instance's epoch + 1; the commit refuses it where the instance
   * moved on.
   */
  | {
      readonly kind: "place";
      readonly instanceId: InstanceId;
      readonly epoch: number;
      readonly nodeId: NodeId;
      readonly ports: readonly PortBinding[];
      /**
       * Running number of the placement, `world.placements` + 1 and on; round-robin rotates by it.
       */
      readonly placement: number;
      /** Why this node, in one sentence. */
      readonly because: string;
    }
  /**
   * A node begins to hold a volume; the commit refuses it where the volume is recorded there
   * already.
   */
  | {
      readonly kind: "create-volume";
      readonly volume: Volume;
      /** The deployment whose instance is the first to mount it. */
      readonly deploymentId: DeploymentId;
    }
  /**
   * What mounts a volume whose node is away begins empty elsewhere, as its spec allows; the volume
   * stays on record. The commit refuses it where the volume is not kept any more.
   */
  | {
      readonly kind: "leave-volume";
      readonly volume: Volume;
      readonly deploymentId: DeploymentId;
      readonly because: string;
    }
  /**
   * The instance fits nowhere; stored and shown. Only made when the reason changed; `undefined`
   * where it wants no node any more.
   */
  | { readonly kind: "refuse"; readonly instanceId: InstanceId; readonly refusal: Refusal | undefined }
  /** Placements keep failing: none before `retryAt`. */
  | { readonly kind: "defer"; readonly instanceId: InstanceId; readonly retryAt: number; readonly because: string }
  /** Take the location out of the routes; it still runs. */
  | { readonly kind: "retire"; readonly instanceId: InstanceId; readonly epoch: number; readonly because: string }
  /** End the location. */
  | { readonly kind: "stop"; readonly instanceId: InstanceId; readonly epoch: number; readonly because: string }
  /**
   * Its node is down: the location is lost; its instance is free to be placed with a higher epoch.
   */
  | { readonly kind: "lose"; readonly instanceId: InstanceId; readonly epoch: number; readonly because: string }
  /** Nothing runs there any more and nobody needs the record. */
  | {
      readonly kind: "forget-location";
      readonly instanceId: InstanceId;
      readonly epoch: number;
      /** When its host ports may be somebody else's. */
      readonly portsFreeAt: number;
    }
  | { readonly kind: "forget-instance"; readonly instanceId: InstanceId }
  /** A deleted deployment whose instances are all gone. */
  | { readonly kind: "forget-deployment"; readonly deploymentId: DeploymentId };

/**
 * What is to change now, and when to look again though nothing happens. Empty `changes` is the
 * fixpoint.
 */
export interface Plan {
  readonly changes: readonly Change[];
  readonly wakeAt: number | undefined;
  /** The commit refuses the plan where one of these moved on. */
  readonly basis: Basis;
}

/** What a plan was decided on, beside the serials and epochs that its changes carry themselves. */
export interface Basis {
  /** Locations that the plan retires, stops, gives up or forgets, as they were. */
  readonly locations: readonly {
    readonly instanceId: InstanceId;
    readonly epoch: number;
    readonly state: InstanceState;
    readonly desired: Location["desired"];
  }[];
  /** Deployments that the plan makes or stops instances of, or forgets. */
  readonly deployments: readonly { readonly deploymentId: DeploymentId; readonly resourceVersion: number }[];
}
