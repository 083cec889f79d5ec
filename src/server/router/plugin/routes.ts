import { requireFilterKeys } from '#api';
import { noPluginSupport, noSuchPlugin } from '../../errors.ts';
import { filters, flag, text } from '../../http/query.ts';
import { json } from '../../http/reply.ts';
import { type Call, type Method, type Route, route } from '../route.ts';

const FILTER_KEYS = ['enabled', 'capability'];
const NO_PLUGINS = 'plugins are not supported';

/** There are no plugins: the list is empty, none is found, none can be added. Source: docker's daemon/pkg/plugin. */
export function pluginRoutes(): Route[] {
  return [
    route({
      name: 'PluginList',
      method: 'GET',
      path: '/plugins',
      summary: 'Lists plugins. There are none.',
      params: { filters },
      handle: ({ query }) => {
        requireFilterKeys(query.filters, FILTER_KEYS);
        return json([]);
      },
    }),
    missing('PluginInspect', 'GET', '/plugins/{name}/json', 'One plugin.'),
    missing('PluginDelete', 'DELETE', '/plugins/{name}', 'Removes a plugin.', { force: flag }),
    missing('PluginEnable', 'POST', '/plugins/{name}/enable', 'Enables a plugin.', { timeout: text }),
    missing('PluginDisable', 'POST', '/plugins/{name}/disable', 'Disables a plugin.', { force: flag }),
    missing('PluginPush', 'POST', '/plugins/{name}/push', 'Sends a plugin to a registry.'),
    missing('PluginSet', 'POST', '/plugins/{name}/set', 'Sets up a plugin.'),
    {
      ...missing('PluginUpgrade', 'POST', '/plugins/{name}/upgrade', 'Upgrades a plugin.', { remote: text }),
      since: 26,
    },
    refused('GetPluginPrivileges', 'GET', '/plugins/privileges', 'What a plugin wants to be allowed.'),
    refused('PluginPull', 'POST', '/plugins/pull', 'Installs a plugin.'),
    refused('PluginCreate', 'POST', '/plugins/create', 'Makes a plugin.'),
  ];
}

function missing(
  name: string,
  method: Method,
  path: string,
  summary: string,
  params: Parameters<typeof route>[0]['params'] = {},
): Route {
  return route({
    name,
    method,
    path,
    summary,
    params,
    streamBody: method === 'POST',
    handle: ({ target }: Call<object, undefined>) => {
      throw noSuchPlugin(target);
    },
  });
}

function refused(name: string, method: Method, path: string, summary: string): Route {
  return route({
    name,
    method,
    path,
    summary,
    refused: NO_PLUGINS,
    streamBody: method === 'POST',
    handle: () => {
      throw noPluginSupport();
    },
  });
}
