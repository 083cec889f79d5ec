import { expect, test } from 'bun:test';
import { requirePlatform } from './platform.ts';
import { configFor } from './testing/index.ts';

const image = (architecture: string, variant?: string) => ({
  config: { ...configFor([]), os: 'linux', architecture, ...(variant ? { variant } : {}) },
});

test('requirePlatform: an image for another machine is not the one meant', () => {
  requirePlatform('a', image('amd64'), { os: 'linux', architecture: 'amd64' });
  requirePlatform('a', image('arm', 'v6'), { os: 'linux', architecture: 'arm', variant: 'v7' });
  requirePlatform('a', image('386'), { os: 'linux', architecture: 'amd64' });
  const wanted = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  expect(() => requirePlatform('busybox', image('amd64'), wanted)).toThrow(
    'image with reference busybox was found but its platform (linux/amd64) does not match the specified platform (linux/arm64/v8)',
  );
});
