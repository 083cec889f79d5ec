import { ownValue } from '#base';
import { badTemplate, badTemplateField } from './errors.ts';
import type { LogInfo } from './types.ts';

/** The tag when the user gives none: the short ID. */
const DEFAULT_TEMPLATE = '{{.ID}}';

const SHORT_ID = 12;

/** What a template may name. Source: moby `daemon/logger/loginfo.go`. */
const FIELDS: Readonly<Record<string, (info: LogInfo) => string>> = {
  ID: ({ containerId }) => containerId.slice(0, SHORT_ID),
  FullID: ({ containerId }) => containerId,
  Name: ({ containerName }) => containerName,
  ImageID: ({ imageId }) => imageId.slice(0, SHORT_ID),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ imageName }) => imageName,
  Command: ({ command }) => command.join(' '),
  DaemonName: () => 'docker',
  ContainerID: ({ containerId }) => containerId,
  ContainerName: ({ containerName }) => `/${containerName}`,
  ContainerEntrypoint: ({ command }) => command[0] ?? '',
  ContainerImageID: ({ imageId }) => imageId,
  ContainerImageName: ({ imageName }) => imageName,
};

const ACTION = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/g;
const FIELD = /^\.([A-Za-z]+)$/;

/**
 * The tag of a container's messages: the option `tag` with `{{.ID}}`, `{{.Name}}`, … replaced. Fields are all there
 * is of Go's templates.
 * @throws `invalid_argument`: with Go's text for an unknown field, with our own for other actions.
 */
export function logTag(info: LogInfo, defaultTemplate: string = DEFAULT_TEMPLATE): string {
  const template = info.config['tag'] || defaultTemplate;
  return template.replace(ACTION, (_action, _left, body: string, _right, at: number) => {
    const name = FIELD.exec(body)?.[1];
    if (name === undefined) throw badTemplate(template);
    const field = ownValue(FIELDS, name);
    // Go counts from the dot on, as a byte offset in its line.
    if (!field) throw badTemplateField(`.${name}`, Buffer.byteLength(template.slice(0, at)) + 2);
    return field(info);
  });
}
