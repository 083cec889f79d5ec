import { expect, test } from 'bun:test';
import { accelerator } from './machine.ts';

test.each([
  ['flags\t\t: fpu vme svm sse2\n', 'kvm'],
  ['flags\t\t: fpu vmx\n', 'kvm'],
  ['model name: svm like\nflags\t\t: fpu vme sse2\n', 'tcg,thread=multi,tb-size=512'],
])('%p runs by %s', (cpuInfo, name) => {
  expect(accelerator(cpuInfo)[1]).toBe(name);
});
