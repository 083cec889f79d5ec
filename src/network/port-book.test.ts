import { beforeEach, describe, expect, test } from 'bun:test';
import { PortBook } from './port-book.ts';
import type { PortRequest } from './types.ts';

const ask = (hostPort: number | undefined, extra: Partial<PortRequest> = {}): PortRequest => ({
  containerPort: 80,
  protocol: 'tcp',
  hostIp: '',
  hostPort,
  ...extra,
});

describe('PortBook', () => {
  let book: PortBook;
  beforeEach(() => {
    book = new PortBook();
  });
  const portsOf = (...requests: PortRequest[]) => book.claim(requests).map(({ hostPort }) => hostPort);

  test('a taken port is refused with docker’s text', () => {
    portsOf(ask(8080));
    expect(() => portsOf(ask(8080))).toThrow('Bind for 0.0.0.0:8080 failed: port is already allocated');
    expect(() => portsOf(ask(8080, { hostIp: '::1' }))).toThrow(
      'Bind for [::1]:8080 failed: port is already allocated',
    );
    expect(() => portsOf(ask(8080, { hostIp: '127.0.0.1' }))).toThrow('Bind for 127.0.0.1:8080 failed');
  });

  test('protocols, addresses and families are apart', () => {
    portsOf(ask(53, { hostIp: '127.0.0.1' }));
    expect(
      portsOf(ask(53, { hostIp: '127.0.0.2' }), ask(53, { protocol: 'udp' }), ask(53, { hostIp: '::' })),
    ).toEqual([53, 53, 53]);
    expect(() => portsOf(ask(53, { hostIp: '0.0.0.0' }))).toThrow('0.0.0.0:53');
  });

  test('claims are all or none', () => {
    portsOf(ask(2));
    expect(() => portsOf(ask(1), ask(2))).toThrow('0.0.0.0:2');
    expect(portsOf(ask(1))).toEqual([1]);
  });

  test('free choice walks the dynamic ports and comes round', () => {
    expect(portsOf(ask(undefined), ask(0))).toEqual([49153, 49154]);
    portsOf(ask(65535));
    const rest = portsOf(...Array.from({ length: 65534 - 49154 }, () => ask(undefined)));
    expect(rest.at(-1)).toBe(65534);
    expect(() => portsOf(ask(undefined))).toThrow('all ports are allocated');
    book.releasePublished([{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 50000 }]);
    book.releasePublished([{ containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 50000 }]);
    expect(portsOf(ask(undefined))).toEqual([50000]);
  });

  test('a port that is named is not taken by a free choice of the same container', () => {
    expect(portsOf(ask(undefined), ask(49153), ask(49154, { hostPortEnd: 49155 }))).toEqual([
      49155, 49153, 49154,
    ]);
    expect(portsOf(ask(8000, { hostPortEnd: 8001 }), ask(8000))).toEqual([8001, 8000]);
  });

  test('a range gives its first free port', () => {
    portsOf(ask(8000));
    expect(portsOf(ask(8000, { hostPortEnd: 8001 }))).toEqual([8001]);
    expect(() => portsOf(ask(8000, { hostPortEnd: 8001 }))).toThrow('all ports are allocated');
  });

  test('replace goes on where there is a choice, and gives the old port up', () => {
    const [fixed] = book.claim([ask(9000)]);
    expect(fixed && book.replace(fixed)).toBeUndefined();
    expect(portsOf(ask(9000))).toEqual([9000]);
    const [ranged] = book.claim([ask(9100, { hostPortEnd: 9101 })]);
    const second = ranged && book.replace(ranged);
    expect(second?.hostPort).toBe(9101);
    expect(second && book.replace(second)).toBeUndefined();
  });

  test('settling drops the family that does not answer', () => {
    const claims = book.claim([ask(7000)]);
    const published = [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 7000 }] as const;
    book.settle(claims, published);
    expect(portsOf(ask(7000, { hostIp: '::' }))).toEqual([7000]);
    book.releasePublished(published);
    expect(portsOf(ask(7000, { hostIp: '0.0.0.0' }))).toEqual([7000]);
  });
});
