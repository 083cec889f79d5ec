import { afterEach, expect, test } from 'bun:test';
import { type Logger, silentLogger } from '#base';
import { notifyManager } from './notify.ts';

const before = process.env['NOTIFY_SOCKET'];
afterEach(() => {
  if (before === undefined) delete process.env['NOTIFY_SOCKET'];
  else process.env['NOTIFY_SOCKET'] = before;
});

test('a service manager that cannot be told is warned of, and ends nothing', () => {
  process.env['NOTIFY_SOCKET'] = '/run/no-such.sock';
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (text) => void warnings.push(text) };
  const sendDatagram = () => {
    throw new Error('connect: no such file or directory');
  };
  notifyManager({ sendDatagram }, 'READY=1', logger);
  expect(warnings).toEqual(['service manager not notified']);
});

test('it is told where it has asked for it, and only then', () => {
  const sent: [string, string][] = [];
  const sockets = { sendDatagram: (path: string, text: string) => void sent.push([path, text]) };
  process.env['NOTIFY_SOCKET'] = '';
  notifyManager(sockets, 'READY=1', silentLogger);
  process.env['NOTIFY_SOCKET'] = '/run/manager.sock';
  notifyManager(sockets, 'STOPPING=1', silentLogger);
  expect(sent).toEqual([['/run/manager.sock', 'STOPPING=1']]);
});
