import { expect, test } from 'bun:test';
import { nftError, parseListing } from './command.ts';

test('nftError: takes the errno from the first error and keeps the whole text', () => {
  const text =
    'Error: Could not process rule: No such file or directory\ndelete table inet x\n             ^\n';
  const error = nftError(text);
  expect(error.code).toBe('ENOENT');
  expect(error.message).toContain('delete table inet x');
  expect(nftError('Error: No such file or directory; did you mean table ‘y’ in family ip?').code).toBe(
    'ENOENT',
  );
  expect(nftError('x:1:1-3: Error: syntax error, unexpected end of file\n').code).toBe('EINVAL');
});

test('parseListing: returns the objects and refuses other documents', () => {
  expect(parseListing('{"nftables":[{"table":{"name":"x"}}]}')).toEqual([{ table: { name: 'x' } }]);
  expect(() => parseListing('{"other":[]}')).toThrow('listing');
});
