/** A message as a broker delivers it. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Number of the connection that it came by; an older one cannot acknowledge any more. */
  readonly connection: number;
  /** Its number in the session; 0 at QoS 0, where nothing is to be acknowledged. */
  readonly packetId: number;
  /** Whether the broker sent it before and got no acknowledgement. */
  readonly isRepeated: boolean;
  /** The user property `id` of who published it. */
  readonly senderId: string | undefined;
  /**
   * Of the subscription that the broker kept it for, each of which has another one; 0 where the
   * broker names none.
   */
  readonly subscriptionId: number;
  /** Of topic, payload and sender's id; see `message-digest.ts`. */
  readonly digest: string;
}

/** How a reader is. */
export type ReaderState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  /** It tries again; `because` is for people and tells no secret. */
  | { readonly kind: "away"; readonly because: string }
  /** Another connection has the session: it does not try again. */
  | { readonly kind: "taken-over"; readonly because: string }
  | { readonly kind: "closed" };

/** Reads what is published, until it is closed. */
export interface Reader {
  state(): ReaderState;
  /** How often it has connected. */
  connections(): number;
  /** Whether the connection lives by which it came: only then is it nobody else's to store. */
  isCurrent(delivery: Delivery): boolean;
  /**
   * Tells the broker, in this order, that these are kept; those of an older connection are left
   * out, since the broker sends them again.
   */
  acknowledge(deliveries: readonly Delivery[]): void;
  /** Reads nothing more from the wire, or goes on. */
  pause(isPaused: boolean): void;
  /** Ends the connection; the session and what waits in it stay. */
  close(): Promise<void>;
}
