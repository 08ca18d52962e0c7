/** What tells one database of the platform from every other, and from older copies of itself. */
export interface PlatformIdentity {
  /** Made when the database was, and anew with each recovery. */
  readonly incarnation: string;
  /** Incarnations that a person confirmed to be replaced by this one. */
  readonly succeeds: readonly string[];
  /** Serials below it may have been given out before the last recovery; 0 where there was none. */
  readonly serialFloor: number;
  /** Why the records are known not to be those of the fleet, until a person has recovered them. */
  readonly unrecovered: Unrecovered | undefined;
  /**
   * Signs what agents are told; `""` where the row was lost. It is for schedulers alone: it stands
   * in no message and no log.
   */
  readonly receiptKey: string;
}

/** Since when, and why, nothing is decided. */
export interface Unrecovered {
  readonly because: string;
  readonly at: number;
}
