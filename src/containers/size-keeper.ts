import type { MeasuredSizes } from '#base';
import type { Companion } from './companions.ts';

/** Tells the remembered sizes when a container's tree begins to change and when it is gone. */
export const sizeKeeper = (sizes: MeasuredSizes): Companion => ({
  begin: ({ id }) => sizes.touch(id),
  end: () => {},
  forget: (id) => sizes.forget(id),
  close: async () => {},
});
