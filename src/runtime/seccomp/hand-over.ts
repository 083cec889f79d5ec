import type { Seccomp, Spec } from '#oci';
import type { FilterCache } from './filter-cache.ts';

/** crun takes a ready-made filter from here, base64, in place of `linux.seccomp` (crun(1)). */
export const BPF_ANNOTATION = 'run.oci.seccomp_bpf_data';

const CRUN_ANNOTATIONS = 'run.oci.';
const X32 = 'SCMP_ARCH_X32';

/**
 * The spec as one runtime gets it. With `filters` the profile goes compiled in an annotation; crun still reads the
 * filter's flags from the JSON. Without, it stays JSON, without the x32 ABI: no kernel of a distribution has it
 * enabled, and it costs 10 ms per start. Annotations that steer crun are dropped whoever set them.
 */
export async function handOverSeccomp(spec: Spec, filters: FilterCache | undefined): Promise<Spec> {
  const annotations = Object.fromEntries(
    Object.entries(spec.annotations ?? {}).filter(([key]) => !key.startsWith(CRUN_ANNOTATIONS)),
  );
  const { seccomp, ...linux } = spec.linux;
  if (!seccomp) return { ...spec, annotations };
  const compiled = await filters?.get(seccomp);
  if (!compiled) return { ...spec, annotations, linux: { ...linux, seccomp: withoutX32(seccomp) } };
  return {
    ...spec,
    annotations: { ...annotations, [BPF_ANNOTATION]: Buffer.from(compiled.bpf).toString('base64') },
    linux: seccomp.flags
      ? { ...linux, seccomp: { defaultAction: seccomp.defaultAction, flags: seccomp.flags } }
      : linux,
  };
}

function withoutX32(seccomp: Seccomp): Seccomp {
  if (!seccomp.architectures) return seccomp;
  return { ...seccomp, architectures: seccomp.architectures.filter((name) => name !== X32) };
}
