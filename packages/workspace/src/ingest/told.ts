import type { MessageDocument } from "../message.ts";

/** Tells of messages that are stored, to whoever listens at that moment. */
export interface Told {
  /** Never waits; what a listener throws is the caller's. */
  tell(documents: readonly MessageDocument[]): void;
  /** Listens from now on; answers what ends that. */
  listen(hear: (documents: readonly MessageDocument[]) => void): () => void;
  /** How many listen. */
  readonly listeners: number;
}

/** Makes one that nobody listens to. */
export function createTold(): Told {
  const all = new Set<(documents: readonly MessageDocument[]) => void>();
  return {
    tell: documents => {
      if (documents.length > 0) for (const hear of all) hear(documents);
    },
    listen: hear => {
      const own: typeof hear = documents => hear(documents);
      all.add(own);
      return () => void all.delete(own);
    },
    get listeners() {
      return all.size;
    },
  };
}
