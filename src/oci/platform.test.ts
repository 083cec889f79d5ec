import { describe, expect, test } from 'bun:test';
import type { Platform } from './image-spec.ts';
import { formatPlatform, hostPlatform, parsePlatform } from './platform.ts';

describe('parsePlatform', () => {
  const good: readonly (readonly [text: string, platform: Platform])[] = [
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['Linux/AMD64', { os: 'linux', architecture: 'amd64' }],
    ['linux/x86_64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
    ['linux/aarch64', { os: 'linux', architecture: 'arm64' }],
    ['linux/arm/7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux/arm/v6', { os: 'linux', architecture: 'arm', variant: 'v6' }],
    ['linux/armhf', { os: 'linux', architecture: 'arm' }],
    ['linux/armel', { os: 'linux', architecture: 'arm', variant: 'v6' }],
    ['arm64', { os: 'linux', architecture: 'arm64' }],
    ['riscv64', { os: 'linux', architecture: 'riscv64' }],
    ['linux', hostPlatform()],
    ['windows', { ...hostPlatform(), os: 'windows' }],
    ['macos/arm64', { os: 'darwin', architecture: 'arm64' }],
  ];
  for (const [text, platform] of good) test(text, () => expect(parsePlatform(text)).toEqual(platform));

  for (const bad of [
    '',
    '/',
    'linux/',
    '/amd64',
    'linux//v8',
    'a/b/c/d',
    'linux/am d64',
    'linux/amd64\n',
    'nonsense',
  ]) {
    test(`${JSON.stringify(bad)} is refused`, () => {
      expect(() => parsePlatform(bad)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    });
  }
});

test('parsePlatform: an architecture may be called as an object’s own things are', () => {
  expect(parsePlatform('linux/constructor')).toEqual({ os: 'linux', architecture: 'constructor' });
  expect(() => parsePlatform('constructor')).toThrow('unknown operating system or architecture');
});

test('formatPlatform: parts that are there, joined', () => {
  expect(formatPlatform({ os: 'linux', architecture: 'arm', variant: 'v7' })).toBe('linux/arm/v7');
  expect(formatPlatform({ os: 'linux', architecture: 'amd64' })).toBe('linux/amd64');
});
