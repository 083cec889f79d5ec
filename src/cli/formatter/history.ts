import type { ImageHistoryResponseItem } from '#api';
import { formatBytes, shortId } from '#base';
import { Struct } from '../template/values.ts';
import type { ListLayout } from './list.ts';
import { ago, ellipsis } from './text.ts';

const COMMAND_WIDTH = 45;

/** Columns of `history`. */
export const HISTORY_LAYOUT: ListLayout = {
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
  table: '{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}',
  quiet: 'ID',
};

/** With `--human=false`. */
export const HISTORY_EXACT_LAYOUT: ListLayout = {
  ...HISTORY_LAYOUT,
  table: '{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}',
};

/** One layer's history as templates see it. */
export function historyRow(
  item: ImageHistoryResponseItem,
  options: { readonly truncate: boolean; readonly human: boolean; readonly nowMs: number },
): Struct {
  const createdAt = () => new Date(item.Created * 1000).toISOString().replace('.000', '');
  const createdBy = item.CreatedBy.replaceAll('\t', ' ');
  return new Struct('*formatter.historyContext', {
    ID: () => (options.truncate && item.Id !== '<missing>' ? shortId(item.Id) : item.Id),
    CreatedSince: () =>
      options.human ? (item.Created <= 0 ? 'N/A' : ago(item.Created, options.nowMs)) : createdAt(),
    CreatedAt: createdAt,
    CreatedBy: () => (options.truncate ? ellipsis(createdBy, COMMAND_WIDTH) : createdBy),
    Size: () => (options.human ? formatBytes(item.Size, 3) : String(item.Size)),
    Comment: () => item.Comment,
  });
}
