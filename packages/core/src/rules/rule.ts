import type { Condition } from "./condition.ts";

/** What is done when a rule begins to hold, or ends to. */
export type Action =
  /** Keeps the message in a collection of its own, beside where all messages go. */
  | { readonly kind: "store"; readonly collection: string }
  /** Tells sockets that have subscribed to the topic. */
  | { readonly kind: "event"; readonly topic: string }
  /** Sends a command to the device that sent the message, or to another one. */
  | {
      readonly kind: "command";
      readonly deviceId: string | undefined;
      readonly type: string;
      readonly payload: Readonly<Record<string, unknown>>;
    }
  /** Posts the message to an address that the workspace has registered by this name. */
  | { readonly kind: "webhook"; readonly target: string };

/**
 * How often a rule that goes on holding acts: when it begins to hold, with every message, or again
 * after so many ms.
 */
export type Repeat =
  { readonly kind: "once" } | { readonly kind: "always" } | { readonly kind: "every"; readonly ms: number };

/** What is to be done when: an immutable, numbered version of it. */
export interface Rule {
  readonly id: string;
  readonly version: number;
  readonly enabled: boolean;
  /** Category and type of the messages that it looks at; empty for all of them. */
  readonly category: string;
  readonly type: string;
  readonly when: Condition;
  readonly repeat: Repeat;
  readonly actions: readonly Action[];
  /** What is done when it no longer holds. */
  readonly clearActions: readonly Action[];
}
