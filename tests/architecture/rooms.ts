/** A room's allowed imports. `types` may only be imported by `import type`. */
export interface RoomRule {
  readonly imports: readonly string[];
  readonly types?: readonly string[];
}

/** The room table of docs/architecture.md as data. A room that is not listed may not exist. */
export const ROOMS: Readonly<Record<string, RoomRule>> = {
  base: { imports: [] },
  oci: { imports: ['base'] },
  api: { imports: ['base'] },
  sys: { imports: ['base'] },
  store: { imports: ['base', 'oci', 'sys'] },
  images: { imports: ['base', 'oci', 'store', 'sys'] },
  volumes: { imports: ['base', 'sys', 'store'] },
  network: { imports: ['base', 'sys', 'store'] },
  runtime: { imports: ['base', 'oci', 'sys'] },
  containers: { imports: ['base', 'oci', 'sys', 'store', 'images', 'volumes', 'network', 'runtime'] },
  server: {
    imports: ['base', 'api'],
    types: ['containers', 'images', 'network', 'volumes', 'runtime', 'store', 'oci'],
  },
  client: { imports: ['base', 'api'] },
  cli: { imports: ['base', 'oci', 'api', 'client', 'compose'] },
};
