import { type ChangeTable, withFilter } from './change.ts';
import { CONTAINER_CHANGES } from './container.ts';
import { CREATE_CHANGES } from './create.ts';
import { IMAGE_CHANGES } from './image.ts';
import { SYSTEM_CHANGES } from './system.ts';

/**
 * What older clients send and get differently, by operation. Handlers speak the newest version only. A change is
 * applied to requests from the oldest one up, to answers from the newest one down.
 * Source: docker's API changelog and daemon/server/router.
 */
export const CHANGES: ChangeTable = {
  ...CONTAINER_CHANGES,
  ContainerCreate: CREATE_CHANGES,
  ...IMAGE_CHANGES,
  ...SYSTEM_CHANGES,
  VolumePrune: [
    {
      before: 42,
      note: 'Named volumes are pruned as well.',
      query: (query) => withFilter(query, 'all=true'),
    },
  ],
};
