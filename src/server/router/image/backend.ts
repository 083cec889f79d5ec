import type { ImageService, OnProgress, StoredImage } from '#images';
import type { Credentials } from '../system/backend.ts';

export interface PullOptions {
  /** As the user gave it; a digest or tag is part of it. */
  readonly reference: string;
  readonly platform: string | undefined;
  readonly credentials: Credentials | undefined;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/** What the image routes need: the service, and what other rooms know of images. */
export interface ImageBackend extends Omit<ImageService, 'createFromLayer' | 'collectGarbage'> {
  /** Containers made from the image. */
  countContainers(image: StoredImage['id']): number;
  /** Undefined: this engine has no registry client. */
  pull?(options: PullOptions): Promise<void>;
}
