import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VmOptions } from './options.ts';

/** What a machine is made of: files that it reads, and never writes. */
export interface MachineParts {
  readonly kernelImage: string;
  readonly initramfs: string;
  readonly rootImage: string;
  readonly workImage: string;
}

const MEMORY = '3G';
/** The line with which the machine's init reports; see guest/init.sh. */
const STATUS = /^gantry-vm-status (\d+)\s*$/;
const SECURITY: Readonly<Record<VmOptions['lsm'], readonly string[]>> = {
  apparmor: ['security=apparmor', 'apparmor=1'],
  selinux: ['security=selinux', 'selinux=1', 'enforcing=0'],
  none: ['security=none', 'apparmor=0', 'selinux=0'],
};

/**
 * Boots a machine, passes on what it prints and returns the status that its init reports; 1 when it ends without one
 * or at the limit or by `signal`. What it writes to its disks goes to temporary files in `scratch` and is lost.
 */
export async function runMachine(
  parts: MachineParts,
  options: VmOptions & { readonly scratch: string; readonly signal: AbortSignal },
): Promise<number> {
  const kernelLog = join(options.scratch, 'kernel.log');
  const child = Bun.spawn(qemu(parts, options, kernelLog), {
    timeout: options.limitS * 1000,
    signal: options.signal,
    env: { ...process.env, TMPDIR: options.scratch },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const status = await passOn(child.stdout, () => child.kill('SIGKILL'));
  await child.exited;
  if (status !== undefined) return status;
  console.error('the machine ended without a result; the end of its kernel log:');
  console.error(readFileSync(kernelLog, 'utf8').split('\n').slice(-30).join('\n'));
  return 1;
}

function qemu(parts: MachineParts, options: VmOptions, kernelLog: string): string[] {
  const disk = (path: string): string[] => [
    '-drive',
    `file=${path},format=raw,if=virtio,snapshot=on,cache=unsafe,discard=unmap`,
  ];
  const append = [
    ...['console=ttyS0', 'panic=-1', 'quiet', 'systemd.unified_cgroup_hierarchy=1', 'cgroup_no_v1=all'],
    ...SECURITY[options.lsm],
  ];
  return [
    ...[
      'qemu-system-x86_64',
      '-nodefaults',
      '-no-user-config',
      '-no-reboot',
      '-display',
      'none',
      '-nic',
      'none',
    ],
    ...['-m', MEMORY, '-smp', '2', ...accelerator(readFileSync('/proc/cpuinfo', 'utf8'))],
    ...['-kernel', parts.kernelImage, '-initrd', parts.initramfs, '-append', append.join(' ')],
    ...disk(parts.rootImage),
    ...disk(parts.workImage),
    ...['-serial', `file:${kernelLog}`, '-device', 'virtio-rng-pci', '-device', 'virtio-serial'],
    ...['-chardev', 'stdio,id=screen,signal=off', '-device', 'virtconsole,chardev=screen'],
  ];
}

/**
 * The processor's own virtualisation where it has one. `/dev/kvm` alone says little: machines that are themselves
 * virtual may offer one that boots no ordinary kernel.
 */
export const accelerator = (cpuInfo: string): string[] =>
  /^flags\s*:.* (vmx|svm)( |$)/m.test(cpuInfo)
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max'];

/** Returns the reported status, after calling `ended`; undefined when the output ends without one. */
async function passOn(output: ReadableStream<Uint8Array>, ended: () => void): Promise<number | undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let status: number | undefined;
  for await (const chunk of output) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const found = STATUS.exec(line)?.[1];
      if (found === undefined) process.stdout.write(`${line.replace(/\r$/, '')}\n`);
      else status = Number(found);
    }
    if (status !== undefined) ended();
  }
  return status;
}
