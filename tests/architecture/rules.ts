import { dirname, join, normalize } from 'node:path';
import type { ImportEdge } from './imports.ts';
import { ROOMS, type RoomRule } from './rooms.ts';

const roomOf = (file: string): string => file.split('/')[1] ?? '';
const isTest = (file: string): boolean => /\.test\.ts$|\/testing\//.test(file);

/** Why the edge is forbidden, or undefined. `file` is relative to the repository (`src/<room>/…`). */
export function violation(
  edge: ImportEdge,
  rooms: Readonly<Record<string, RoomRule>> = ROOMS,
): string | undefined {
  const room = roomOf(edge.file);
  const rule = rooms[room];
  if (!rule) return `${edge.file}: room ${room} is not in the room table`;
  if (edge.specifier.startsWith('.')) return relativeViolation(edge, room);
  if (!edge.specifier.startsWith('#')) return undefined;
  return doorViolation(edge, room, rule);
}

function relativeViolation(edge: ImportEdge, room: string): string | undefined {
  const target = normalize(join(dirname(edge.file), edge.specifier));
  if (target.startsWith(`src/${room}/`)) return undefined;
  return `${edge.file}: ${edge.specifier} leaves the room past its door`;
}

function doorViolation(edge: ImportEdge, room: string, rule: RoomRule): string | undefined {
  const [target = '', door] = edge.specifier.slice(1).split('/');
  if (door === 'testing' && !isTest(edge.file)) return `${edge.file}: ${edge.specifier} is for tests only`;
  if (target === room || rule.imports.includes(target)) return undefined;
  if (rule.types?.includes(target) && (edge.typeOnly || isTest(edge.file))) return undefined;
  return `${edge.file}: room ${room} may not import ${edge.specifier}${edge.typeOnly ? ' (type)' : ''}`;
}
