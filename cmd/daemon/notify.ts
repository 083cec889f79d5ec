import type { Sockets } from '#sys';

/** Tells systemd what the daemon is up to (sd_notify(3)). Nothing happens where nobody asked for it. */
export function notifyManager(sockets: Pick<Sockets, 'sendDatagram'>, message: string): void {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  sockets.sendDatagram(path, message);
}
