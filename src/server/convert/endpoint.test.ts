import { expect, test } from 'bun:test';
import { sampleContainer } from '../testing/index.ts';
import { toEndpointRequest } from './container-config.ts';
import { networksOf } from './endpoint.ts';

test('what is asked of an endpoint is shown, also what changes nothing', () => {
  const wire = {
    GwPriority: 7,
    IPAMConfig: { IPv4Address: '10.1.2.3', LinkLocalIPs: ['169.254.3.4'] },
    DriverOpts: { a: '1' },
  };
  const view = sampleContainer(
    'one',
    {},
    { endpoints: { own: toEndpointRequest(wire) }, sandbox: undefined },
  );
  expect(networksOf(view, () => 'id')['own']).toMatchObject(wire);
  const plain = sampleContainer('one', {}, { endpoints: { own: toEndpointRequest({}) }, sandbox: undefined });
  expect(networksOf(plain, () => 'id')['own']).toMatchObject({ GwPriority: 0, IPAMConfig: null });
});
