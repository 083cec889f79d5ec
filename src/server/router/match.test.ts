import { expect, test } from 'bun:test';
import { createFakeBackends } from '../testing/index.ts';
import { createRoutes } from './index.ts';
import { compileRoutes } from './match.ts';

const match = compileRoutes(createRoutes(createFakeBackends()));

test.each([
  ['GET', '/containers/json', 'ContainerList', ''],
  ['GET', '/containers/abc/json', 'ContainerInspect', 'abc'],
  ['GET', '/images/library/a/b/json', 'ImageInspect', 'library/a/b'],
  ['GET', '/images/json', 'ImageList', ''],
  ['GET', '/images/get', 'ImageGetAll', ''],
  ['GET', '/images/a/get', 'ImageGet', 'a'],
  ['DELETE', '/images/x/y:z', 'ImageDelete', 'x/y:z'],
  ['DELETE', '/containers/json', 'ContainerDelete', 'json'],
  ['POST', '/containers/create', 'ContainerCreate', ''],
  ['POST', '/exec/e/start', 'ExecStart', 'e'],
  ['GET', '/networks/n', 'NetworkInspect', 'n'],
  ['POST', '/gantry/exec/e/kill', 'GantryExecKill', 'e'],
  ['POST', '/gantry/images/bootstrap', 'GantryImageBootstrap', ''],
])('%s %s is %s of %j', (method, path, name, target) => {
  const found = match(method, path);
  expect([found?.route.name, found?.target]).toEqual([name, target]);
});

test.each([
  '/',
  '',
  '/containers',
  '/containers/',
  '/containers//json',
  '/containers/a/nope',
  '//containers/json',
])('GET %j is nobody', (path) => {
  expect(match('GET', path)).toBeUndefined();
});
