import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, errorMessage, type Logger } from '#base';
import { unresolvableDevices } from '../errors.ts';
import { type CdiEdits, type CdiSpec, decodeCdiSpec } from './cdi-spec.ts';

/** Where specs lie; a device in a later directory hides one of the same name in an earlier one. */
export const CDI_SPEC_DIRS: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

interface Device {
  readonly spec: CdiSpec;
  readonly edits: CdiEdits;
}

/** The devices that the machine's vendors have described, as the files say at this moment. */
export class CdiRegistry {
  readonly #devices = new Map<string, Device>();

  /** Files that cannot be read are left out, and the daemon's log says so. */
  constructor(directories: readonly string[], logger: Logger) {
    for (const directory of directories) this.#add(directory, logger);
  }

  /** Qualified names, `vendor.com/class=name`, sorted. */
  get names(): string[] {
    return [...this.#devices.keys()].sort();
  }

  /**
   * What the devices change, the parts that all devices of a spec share once and first.
   * @throws docker's text for names that no spec has.
   */
  resolve(names: readonly string[]): CdiEdits[] {
    const found = names.map((name) => this.#devices.get(name));
    const unknown = names.filter((_, index) => !found[index]);
    if (unknown.length > 0) throw unresolvableDevices(unknown);
    const devices = found.flatMap((device) => device ?? []);
    const shared = new Set(devices.map(({ spec }) => spec));
    return [...[...shared].map(({ edits }) => edits), ...devices.map(({ edits }) => edits)];
  }

  #add(directory: string, logger: Logger): void {
    const here = new Map<string, Device>();
    const conflicting = new Set<string>();
    for (const spec of readSpecs(directory, logger)) {
      for (const [name, edits] of spec.devices) {
        const qualified = `${spec.kind}=${name}`;
        // Two files of the same rank that disagree: nobody can say which one is meant.
        if (here.has(qualified)) conflicting.add(qualified);
        here.set(qualified, { spec, edits });
      }
    }
    for (const [name, device] of here) {
      if (conflicting.has(name)) logger.warn('CDI device is described twice', { device: name, directory });
      else this.#devices.set(name, device);
    }
    for (const name of conflicting) this.#devices.delete(name);
  }
}

function readSpecs(directory: string, logger: Logger): CdiSpec[] {
  return namesIn(directory)
    .filter((name) => /\.(json|yaml)$/.test(name))
    .flatMap((name) => {
      try {
        const content = readFileSync(join(directory, name), 'utf8');
        return [decodeCdiSpec(name.endsWith('.json') ? JSON.parse(content) : parseYaml(content))];
      } catch (error) {
        logger.warn('CDI spec left out', { file: join(directory, name), error: errorMessage(error) });
        return [];
      }
    });
}

/** In vendors' files a leading zero means octal, as it did before YAML 1.2: `fileMode: 0660`. */
const OCTAL = /(?<=:[ \t]+)0(?=[0-7]+[ \t]*(?:[,}\]#]|$))/gm;
const parseYaml = (text: string): unknown => Bun.YAML.parse(text.replace(OCTAL, '0o'));

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}
