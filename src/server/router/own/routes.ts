import { invalidArgument } from '#base';
import { progressReply } from '../../http/progress.ts';
import { optionalText, text, texts } from '../../http/query.ts';
import type { Reply } from '../../http/reply.ts';
import type { ImageBackend } from '../image/backend.ts';
import { type Call, type Route, route } from '../route.ts';

interface BootstrapQuery {
  readonly kind: string;
  readonly reference: string | undefined;
  readonly packages: readonly string[];
}

/** What docker does not have. All paths begin with `/gantry/`. */
export function ownRoutes(images: Pick<ImageBackend, 'bootstrap'>): Route[] {
  return [
    route({
      name: 'GantryImageBootstrap',
      method: 'POST',
      path: '/gantry/images/bootstrap',
      summary: "Makes `busybox` or `debian` from Debian's packages, without a registry.",
      params: { kind: text, reference: optionalText, packages: texts },
      handle: (call) => bootstrap(images, call),
    }),
  ];
}

function bootstrap(
  images: Pick<ImageBackend, 'bootstrap'>,
  { query }: Call<BootstrapQuery, undefined>,
): Reply {
  const { kind, reference, packages } = query;
  if (kind !== 'busybox' && kind !== 'debian') {
    throw invalidArgument(`unknown base image ${JSON.stringify(kind)}: must be busybox or debian`);
  }
  return progressReply(async ({ send, onProgress, signal }) => {
    const image = await images.bootstrap(kind, {
      ...(reference === undefined ? {} : { reference }),
      ...(packages.length === 0 ? {} : { packages }),
      onProgress,
      signal,
    });
    await send({ status: image.id, aux: { ID: image.id } });
  });
}
