import type { EngineClient } from '../engine-client.ts';

type Groups = 'containers' | 'exec' | 'images' | 'networks' | 'system' | 'volumes';

/** Only the calls a test expects; each group and each call may be left out. */
export type FakeCalls = { readonly [G in Groups]?: Partial<EngineClient[G]> } & {
  readonly apiVersion?: string;
};

/** An engine client of a test's own functions. A call that was not given fails with its name. */
export function createFakeClient(calls: FakeCalls): EngineClient {
  const group = <G extends Groups>(name: G): EngineClient[G] =>
    new Proxy(calls[name] ?? {}, {
      get(target, call) {
        const known = Reflect.get(target, call) as unknown;
        if (known !== undefined) return known;
        return () => Promise.reject(new Error(`unexpected call: ${name}.${String(call)}`));
      },
    }) as EngineClient[G];
  return {
    url: 'unix:///fake.sock',
    apiVersion: async () => calls.apiVersion ?? '1.50',
    containers: group('containers'),
    exec: group('exec'),
    images: group('images'),
    networks: group('networks'),
    system: group('system'),
    volumes: group('volumes'),
    close: () => {},
  };
}

export { type RawConnection, type RawServer, startRawServer } from './raw-server.ts';
