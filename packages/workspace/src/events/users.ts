import type { Clock } from "@skep/kit/clock.ts";
import type { Socket } from "socket.io";

/** Which connections are in use: one connection may be in several workspaces. */
export interface Users {
  /** Counts a socket as a user of its connection until it is gone. */
  follow(this: void, socket: Socket): void;
  /** Ends a socket, and its connection where no other workspace uses it. */
  end(this: void, socket: Socket): void;
  /** Waits until the connections that only those sockets used are gone. */
  gone(sockets: readonly Socket[]): Promise<void>;
}

/** How long clients have to take what was sent to them last. */
const GRACE_MS = 1_000;

/** Makes one. */
export function createUsers(clock: Clock): Users {
  const users = new WeakMap<object, number>();

  function isLeft({ conn, request }: Socket): boolean {
    return (users.get(conn) ?? 0) === 0 && !request.socket.destroyed;
  }

  return {
    follow: socket => {
      users.set(socket.conn, (users.get(socket.conn) ?? 0) + 1);
      socket.once("disconnect", () => users.set(socket.conn, (users.get(socket.conn) ?? 1) - 1));
    },
    end: socket => {
      socket.disconnect();
      if ((users.get(socket.conn) ?? 0) > 0) return;
      socket.conn.close();
      // Who reads nothing would never see the end.
      clock.timer(GRACE_MS, () => {
        if (isLeft(socket)) socket.request.socket.destroy();
      });
    },
    gone: async sockets => {
      while (sockets.some(isLeft)) await clock.sleep(10);
    },
  };
}
