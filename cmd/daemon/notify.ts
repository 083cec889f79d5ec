import type { Logger } from '#base';
import type { Sockets } from '#sys';

/**
 * Tells systemd what the daemon is up to (sd_notify(3)). Nothing happens where nobody asked for it; a manager that does not
 * listen is warned of.
 */
export function notifyManager(sockets: Pick<Sockets, 'sendDatagram'>, message: string, logger: Logger): void {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  try {
    sockets.sendDatagram(path, message);
  } catch (error) {
    logger.warn('service manager not notified', { message, error });
  }
}
