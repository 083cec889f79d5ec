import { expect, test } from 'bun:test';
import { constants } from 'node:os';
import { errnoCode } from '#base';
import { ERRNO, errnoFromText, errnoName } from './errno.ts';
import { ignoring, SysError } from './errors.ts';

test('SysError: has the code, number, call and text of a failed call', () => {
  const error = new SysError('ENOENT', 'mount', 'target "/x"');
  expect(error).toMatchObject({ code: 'ENOENT', errno: 2, syscall: 'mount' });
  expect(error.message).toBe('mount: no such file or directory (target "/x")');
  expect(errnoCode(error)).toBe('ENOENT');
  expect(errnoCode(new SysError(524, 'x'))).toBe('E524');
});

test('ERRNO: agrees with the running system wherever Node knows the name', () => {
  for (const [name, number] of Object.entries(constants.errno)) {
    if (name === 'EWOULDBLOCK' || name === 'ENOTSUP') continue;
    const known: number | undefined = Object.entries(ERRNO).find(([other]) => other === name)?.[1][0];
    expect(known).toBe(Number(number));
    expect(errnoName(number)).toBe(name);
  }
});

test('errnoFromText: finds the error a message ends with', () => {
  expect(errnoFromText('Error: Could not process rule: File exists')).toBe('EEXIST');
  expect(errnoFromText('Error: syntax error')).toBeUndefined();
});

test('ignoring: swallows only the named errors', () => {
  const fail = () => {
    throw new SysError('EBUSY', 'rmdir');
  };
  expect(ignoring(['EBUSY'], fail)).toBeUndefined();
  expect(() => ignoring(['ENOENT'], fail)).toThrow('busy');
  expect(ignoring(['ENOENT'], () => 1)).toBe(1);
});
