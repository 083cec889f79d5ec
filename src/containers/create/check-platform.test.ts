import { expect, test } from 'bun:test';
import type { StoredImage } from '#images';
import { hostPlatform } from '#oci';
import { checkPlatform } from './check-platform.ts';

const image = (os: string, architecture: string, variant?: string) =>
  ({ config: { os, architecture, ...(variant && { variant }) } }) as StoredImage;
const host = hostPlatform().architecture;

test.each([
  [image('linux', 'amd64'), 'linux/amd64'],
  [image('linux', '386'), 'linux/amd64'],
  [image('linux', 'amd64', 'v2'), 'linux/amd64/v3'],
  [image('linux', 'arm', 'v6'), 'linux/arm/v7'],
  [image('linux', 'arm', 'v7'), 'linux/arm64'],
  [image('linux', host), undefined],
])('%j serves %p', (given, wanted) => {
  expect(checkPlatform('busybox', given, wanted)).toEqual([]);
});

test.each([
  [
    image('linux', 'amd64'),
    'linux/arm64',
    '(linux/amd64) does not match the specified platform (linux/arm64)',
  ],
  [
    image('linux', 'arm', 'v7'),
    'linux/arm/v6',
    '(linux/arm/v7) does not match the specified platform (linux/arm/v6)',
  ],
  [image('linux', 'amd64'), 'windows', 'does not match the specified platform (windows/'],
])('%j is not what %p asks for', (given, wanted, text) => {
  expect(() => checkPlatform('busybox', given, wanted)).toThrow(
    expect.objectContaining({ code: 'not_found', message: expect.stringContaining(text) }),
  );
});

test('an image of another machine is used when nobody asked for a platform, with a warning', () => {
  expect(checkPlatform('busybox', image('linux', 's390x'), undefined)).toEqual([
    `The requested image's platform (linux/s390x) does not match the detected host platform (linux/${host}) and no specific platform was requested`,
  ]);
});

test('a text that is no platform is refused', () => {
  expect(() => checkPlatform('busybox', image('linux', 'amd64'), 'a/b/c/d')).toThrow(
    'invalid platform specifier',
  );
});
