import { describe, expect, test } from 'bun:test';
import { parseEndpoint } from './endpoint.ts';

describe('parseEndpoint', () => {
  test.each([
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['tcp://h:1', { kind: 'tcp', host: 'h', port: 1, basePath: '', tls: undefined }],
    ['tcp://h', { kind: 'tcp', host: 'h', port: 2375 }],
    ['tcp://[::1]:5/base/', { kind: 'tcp', host: '::1', port: 5, basePath: '/base' }],
    ['https://h', { kind: 'tcp', host: 'h', port: 2376, tls: { verify: true } }],
  ])('%s', (url, expected) => {
    expect(parseEndpoint(url)).toMatchObject({ url, ...expected });
  });

  test.each(['', 'unix://', 'h:1', 'ftp://h', 'tcp://a:b:c'])('refuses %p', (url) => {
    expect(() => parseEndpoint(url)).toThrow('unable to parse docker host');
  });

  test('certificates make a TCP connection a TLS one', () => {
    expect(parseEndpoint('tcp://h', { verify: false })).toMatchObject({ port: 2376, tls: { verify: false } });
  });
});
