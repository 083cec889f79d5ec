/**
 * So many TCP ports of this network namespace, one after the other, that nobody listens on now: for what has to name them
 * in advance. Everywhere else the engine is asked for any port (`-p 0:80`).
 */
export function freePorts(count: number): number[] {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const base = anyFreePort();
    const ports = Array.from({ length: count }, (_, index) => base + index);
    if (ports.every(isFree)) return ports;
  }
  throw new Error(`no ${count} free ports in a row`);
}

const listen = (port: number) => Bun.listen({ hostname: '::', port, socket: { data() {} } });

function anyFreePort(): number {
  const listener = listen(0);
  listener.stop(true);
  return listener.port;
}

function isFree(port: number): boolean {
  try {
    listen(port).stop(true);
    return true;
  } catch {
    return false;
  }
}
