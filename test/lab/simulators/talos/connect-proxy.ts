// A forward proxy that carries CONNECT <address>:50000 to the port where that node answers now, and refuses everything else.
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** Serves it on loopback. */
export async function serveConnect(portOf: (address: string) => number | undefined): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const proxy = createServer((_request, response) => void response.writeHead(502).end());
  proxy.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  proxy.on("connect", (request, socket: Socket, head: Buffer) => {
    const [host = "", port] = (request.url ?? "").split(":");
    const there = port === "50000" ? portOf(host) : undefined;
    socket.on("error", () => socket.destroy());
    if (there === undefined) return void socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    const node = connect(there, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      node.write(head);
      node.pipe(socket).pipe(node);
    });
    node.on("error", () => socket.destroy());
    // not destroyed: the alert that the node went away with has yet to be read
    node.on("close", () => socket.end());
    socket.on("close", () => node.destroy());
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
