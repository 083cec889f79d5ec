import { expect, test } from 'bun:test';
import type { GantryError } from '#base';
import * as errors from './errors.ts';

/** Texts that clients match or show (moby `daemon/*.go`), with the code that becomes the HTTP status. */
const contract: [GantryError, GantryError['code'], string][] = [
  [errors.noSuchContainer('x'), 'not_found', 'No such container: x'],
  [errors.notRunning('x'), 'conflict', 'container x is not running'],
  [errors.alreadyStarted(), 'not_modified', 'container is already running'],
  [errors.alreadyStopped(), 'not_modified', 'container is already stopped'],
  [errors.defaultLinkName(), 'internal', 'Conflict, cannot remove the default link name of the container'],
  [errors.isRestarting('x'), 'conflict', 'Container x is restarting, wait until the container is running'],
  [errors.alreadyPaused('x'), 'conflict', 'container x is already paused'],
  [errors.notPaused('x'), 'internal', 'Container x is not paused'],
  [errors.removalInProgress('x'), 'conflict', 'removal of container x is already in progress'],
  [errors.noSuchExec('x'), 'not_found', 'No such exec instance: x'],
  [errors.execInPaused('x'), 'conflict', 'Container x is paused, unpause the container before exec'],
  [errors.execAlreadyRun('x'), 'conflict', 'exec command x has already run'],
  [errors.noExecCommand(), 'invalid_argument', 'No exec command specified'],
  [errors.noCommand(), 'invalid_argument', 'no command specified'],
  [errors.noStreams(), 'invalid_argument', 'You must choose at least one stream'],
  [errors.logsNotReadable(), 'conflict', 'configured logging driver does not support reading'],
  [
    errors.bindSourceMissing('/x'),
    'invalid_argument',
    'invalid mount config for type "bind": bind source path does not exist: /x',
  ],
  [
    errors.cannotRemovePaused('x'),
    'conflict',
    'cannot remove container "/x": container is paused and must be unpaused first',
  ],
];
for (const [error, code, text] of contract) {
  test(`errors: ${text}`, () => {
    expect(error.message).toBe(text);
    expect(error.code).toBe(code);
  });
}
