import type { CommandEntry } from '../core/entry.ts';

/** Commands of `image`. */
export const IMAGE_COMMANDS: readonly CommandEntry[] = [
  {
    path: 'image ls',
    aliases: ['list'],
    topLevel: ['images'],
    summary: 'List images',
    common: true,
    load: () => import('./ls.ts'),
  },
  {
    path: 'image bootstrap',
    summary: "Make a base image from this system's packages, without a registry",
    load: () => import('./bootstrap.ts'),
  },
  {
    path: 'image history',
    topLevel: ['history'],
    summary: 'Show how an image was made',
    load: () => import('./history.ts'),
  },
  {
    path: 'image import',
    topLevel: ['import'],
    summary: 'Make an image from a tar archive of a file system',
    load: () => import('./import.ts'),
  },
  { path: 'image inspect', summary: 'Show everything about images', load: () => import('./inspect.ts') },
  {
    path: 'image load',
    topLevel: ['load'],
    summary: 'Load images from an archive or standard input',
    load: () => import('./load.ts'),
  },
  { path: 'image prune', summary: 'Remove unused images', load: () => import('./prune.ts') },
  {
    path: 'image pull',
    topLevel: ['pull'],
    summary: 'Fetch an image from a registry',
    common: true,
    load: () => import('./pull.ts'),
  },
  {
    path: 'image rm',
    aliases: ['remove'],
    topLevel: ['rmi'],
    summary: 'Remove images',
    load: () => import('./rm.ts'),
  },
  {
    path: 'image save',
    topLevel: ['save'],
    summary: 'Write images to an archive or standard output',
    load: () => import('./save.ts'),
  },
  {
    path: 'image tag',
    topLevel: ['tag'],
    summary: 'Give an image another name',
    load: () => import('./tag.ts'),
  },
];
