import { errorMessage } from '#base';
import type { CliContext } from '../core/context.ts';
import { EXIT, present, silentExit } from '../core/errors.ts';
import { templateParsing } from '../template/errors.ts';
import { compileTemplate, type Template } from '../template/template.ts';
import { exactNumbers } from '../template/values.ts';
import { shapedContainer } from './container-shape.ts';

/** Fields that the reference client has typed: absent on the wire, they read as nil instead of failing. */
const OPTIONAL_KEYS: ReadonlySet<string> = new Set(
  (
    'Health Healthcheck SizeRw SizeRootFs StopTimeout StopSignal Shell OnBuild GraphDriver MacAddress Init Mounts Tmpfs ' +
    'Sysctls StorageOpt Annotations Runtime ExposedPorts NetworkDisabled ArgsEscaped Comment Author Variant OsVersion ' +
    'Parent Descriptor Manifests ImageManifestDescriptor UsageData ClusterVolume Status Peers Services'
  ).split(' '),
);

/** Fetches one object. Rejects when there is none. */
export type GetObject = (ref: string) => Promise<unknown>;

/**
 * Prints objects as one JSON array, or each through a template. What was found is printed even when something was not; the
 * failures follow on standard error.
 * @throws with exit code 1 when anything failed.
 */
export async function inspectAll(
  ctx: CliContext,
  refs: readonly string[],
  format: string,
  get: GetObject,
): Promise<void> {
  const template = format === '' || format === 'json' ? undefined : compile(format);
  const found: unknown[] = [];
  const failures: string[] = [];
  for (const ref of refs) {
    await get(ref).then(
      (object) => void found.push(object),
      (error: unknown) => void failures.push(errorMessage(error)),
    );
  }
  await ctx.stdout.write(
    template ? withTemplate(template, found, failures) : asJson(found, format === 'json'),
  );
  if (failures.length === 0) return;
  await ctx.stderr.write(`${failures.join('\n')}\n`);
  throw silentExit(1);
}

function compile(source: string): Template {
  try {
    return compileTemplate(source);
  } catch (error) {
    throw present(templateParsing(error), { exitCode: EXIT.badTemplate });
  }
}

/** One line for each object; an object that does not fit gives a failure. An empty line where there is nothing else. */
function withTemplate(template: Template, objects: readonly unknown[], failures: string[]): string {
  const lines = objects.flatMap((object) => {
    try {
      return [`${runOn(template, object)}\n`];
    } catch (error) {
      failures.push(templateParsing(error).message);
      return [];
    }
  });
  return lines.length === 0 ? '\n' : lines.join('');
}

/** As docker's client does: with its own types, and when they do not fit, with the JSON as it came. */
function runOn(template: Template, object: unknown): string {
  const shaped = shapedContainer(object);
  if (shaped !== undefined) {
    try {
      return template.run(shaped);
    } catch {
      // The JSON may have what docker's types have not; its complaint is the one that is shown.
    }
  }
  return template.run(object, { missingKey: 'error', optionalKeys: OPTIONAL_KEYS });
}

function asJson(objects: readonly unknown[], compact: boolean): string {
  return `${JSON.stringify(objects, exactNumbers, compact ? 0 : 4)}\n`;
}
