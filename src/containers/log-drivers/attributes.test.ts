import { describe, expect, test } from 'bun:test';
import { configFixture, containerFixture } from '../testing/fixtures.ts';
import { extraAttributes, logInfoOf } from './info.ts';
import { logTag } from './tag.ts';

const container = containerFixture({
  name: 'web',
  path: '/bin/sh',
  args: ['-c', 'true'],
  config: configFixture({
    image: 'busybox:1',
    env: ['A=1', 'B=2=3', 'NOVALUE', 'shared=env'],
    labels: { one: 'l1', two: 'l2', 'com.x.y': 'l3', shared: 'label' },
  }),
});
const info = (config: Record<string, string>) => logInfoOf(container, config);

describe('logTag', () => {
  for (const [tag, expected] of [
    ['', 'f00d00000000'],
    ['{{.Name}}/{{ .ImageName }}', 'web/busybox:1'],
    ['{{.FullID}}', container.id],
    ['{{.ImageID}} {{.ImageFullID}}', `sha256:11111 ${container.imageId}`],
    ['{{.Command}}', '/bin/sh -c true'],
    ['{{.DaemonName}}{{.ContainerName}}', 'docker/web'],
    ['plain', 'plain'],
  ] as const) {
    test(tag || 'default', () => expect(logTag(info({ tag }))).toBe(expected));
  }

  test('an unknown field is refused with Go’s text', () => {
    expect(() => logTag(info({ tag: 'a{{.Foo}}' }))).toThrow(
      `template: log-tag:1:3: executing "log-tag" at <.Foo>: can't evaluate field Foo in type *logger.Info`,
    );
  });

  test.each(['toString', 'constructor'])('nor is %s a field', (name) => {
    expect(() => logTag(info({ tag: `{{.${name}}}` }))).toThrow(`can't evaluate field ${name}`);
  });

  test('what is no field is refused', () => {
    expect(() => logTag(info({ tag: '{{json .}}' }))).toThrow('unsupported action');
  });
});

describe('extraAttributes', () => {
  for (const [config, expected] of [
    [{}, {}],
    [
      { labels: 'one,missing', env: 'A,B,NOVALUE' },
      { one: 'l1', A: '1', B: '2=3' },
    ],
    [
      { 'labels-regex': '^(one|com)', 'env-regex': '^B$' },
      { one: 'l1', 'com.x.y': 'l3', B: '2=3' },
    ],
    [{ labels: 'shared', env: 'shared' }, { shared: 'env' }],
    [{ labels: 'toString' }, {}],
  ] as const) {
    test(JSON.stringify(config), () => expect(extraAttributes(info(config))).toEqual(expected));
  }

  test('keys can be renamed', () => {
    expect(extraAttributes(info({ labels: 'one' }), (key) => key.toUpperCase())).toEqual({ ONE: 'l1' });
  });
});
