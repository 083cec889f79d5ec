import type { Route } from './route.ts';

export interface Match<R> {
  readonly route: R;
  readonly target: string;
}

interface Compiled<R> {
  /** Paths without a variable part. */
  readonly fixed: Map<string, R>;
  /** First part of the path, such as `/containers/`, to the routes by what follows the variable part. */
  readonly variable: Map<string, Map<string, R>>;
}

/**
 * Compiles routes to a matcher of a few map look-ups. A fixed path wins over a variable one; of the variable ones the
 * longest ending wins. The variable part takes everything between, slashes included, as image names need.
 */
export function compileRoutes<R extends Pick<Route, 'method' | 'path'>>(
  routes: readonly R[],
): (method: string, path: string) => Match<R> | undefined {
  const methods = new Map<string, Compiled<R>>();
  for (const route of routes) {
    const compiled = methods.get(route.method) ?? { fixed: new Map<string, R>(), variable: new Map() };
    methods.set(route.method, compiled);
    addRoute(compiled, route);
  }
  return (method, path) => {
    const compiled = methods.get(method);
    if (!compiled) return undefined;
    const fixed = compiled.fixed.get(path);
    return fixed ? { route: fixed, target: '' } : matchVariable(compiled, path);
  };
}

function addRoute<R extends Pick<Route, 'path'>>(compiled: Compiled<R>, route: R): void {
  const match = /^(\/.*\/)\{\w+\}(\/.*)?$/.exec(route.path);
  if (!match?.[1]) {
    compiled.fixed.set(route.path, route);
    return;
  }
  const endings = compiled.variable.get(match[1]) ?? new Map<string, R>();
  compiled.variable.set(match[1], endings.set(match[2] ?? '', route));
}

const OWN = '/gantry/';

function matchVariable<R>(compiled: Compiled<R>, path: string): Match<R> | undefined {
  // Our own paths name their resource in the second part.
  const firstEnd = path.indexOf('/', path.startsWith(OWN) ? OWN.length : 1) + 1;
  const endings = compiled.variable.get(path.slice(0, firstEnd));
  if (firstEnd === 0 || !endings) return undefined;
  const last = path.lastIndexOf('/');
  const beforeLast = path.lastIndexOf('/', last - 1);
  for (const at of [beforeLast, last, path.length]) {
    if (at <= firstEnd) continue;
    const route = endings.get(path.slice(at));
    if (route) return { route, target: path.slice(firstEnd, at) };
  }
  return undefined;
}
