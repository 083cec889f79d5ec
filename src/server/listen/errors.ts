import { conflict, type GantryError, invalidArgument } from '#base';

export const badEndpoint = (text: string): GantryError =>
  invalidArgument(`invalid listen address ${JSON.stringify(text)}: must be unix://, tcp:// or fd://`);

export const pathTooLong = (path: string): GantryError =>
  invalidArgument(`listen on ${JSON.stringify(path)}: a socket path has at most 107 bytes`);

export const notASocket = (path: string): GantryError =>
  conflict(`listen on ${JSON.stringify(path)}: there is a file that is no socket`);

export const socketInUse = (path: string): GantryError =>
  conflict(`listen on ${JSON.stringify(path)}: another process answers there`);

export const insecureTcp = (address: string): GantryError =>
  invalidArgument(
    `listen on ${address}: an API that asks for no client certificate gives root to everybody who reaches it beyond the loopback; use --tlsverify, or allow it with --insecure-tcp`,
  );

export const unknownGroup = (group: string): GantryError =>
  invalidArgument(`listen: group ${JSON.stringify(group)} does not exist`);

export const noActivation = (): GantryError =>
  invalidArgument('listen on fd://: no sockets were passed by systemd');
