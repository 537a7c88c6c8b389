// The port of the API server for clients. The server behind it may start, stop or be blocked; then nothing listens, and open connections are closed.
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Door {
  /** Stays the same as long as the home is up. */
  port: number;
  isOpen(): boolean;
  /** Lets clients through to this port of loopback. */
  open(to: number): Promise<void>;
  /** Refuses connections from now on, and closes the open ones. */
  shut(): void;
  close(): void;
}

/** A door that is shut. `refuses` is asked at each connection, which is cut off at once when it says so. */
export async function createDoor(refuses: () => boolean): Promise<Door> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let target = 0;
  const serve = (port: number) =>
    new Promise<Server>((done, failed) => {
      const made = createServer((client) => {
        keep(client);
        if (refuses()) return void client.resetAndDestroy();
        const behind = connect(target, "127.0.0.1");
        keep(behind);
        client.pipe(behind).pipe(client);
        // one end that is gone ends the other
        client.once("close", () => behind.destroy());
        behind.once("close", () => client.destroy());
      });
      made.once("error", failed);
      made.listen(port, "127.0.0.1", () => done(made));
    });
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // its end is told by "close"
    socket.once("close", () => sockets.delete(socket));
  };
  const first = await serve(0);
  const { port } = first.address() as { port: number };
  first.close();
  const shut = () => {
    server?.close();
    server = undefined;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    isOpen: () => server !== undefined,
    async open(to) {
      target = to;
      server ??= await serve(port);
    },
    shut,
    close: shut,
  };
}
