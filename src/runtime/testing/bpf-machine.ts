/** Evaluates seccomp filters, for tests of the compiler. Codes of linux/bpf_common.h, 8 bytes an instruction. */
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;
const AND = 0x54;
const JUMP_ALWAYS = 0x05;
const INSTRUCTION_BYTES = 8;

/** Offsets in `struct seccomp_data` (linux/seccomp.h). */
const NR = 0;
const ARCH = 4;

/** What a filter does with one call. Arguments are 64-bit. */
export interface CallData {
  readonly nr: number;
  readonly arch: number;
  readonly args?: readonly bigint[];
}

/**
 * Runs a filter as the kernel would and returns its value. Knows the instructions that libseccomp emits.
 * @throws Error for any other, or a jump out of the program.
 */
export function evaluateFilter(bpf: Uint8Array, call: CallData): number {
  const program = new DataView(bpf.buffer, bpf.byteOffset, bpf.byteLength);
  const data = encodeCall(call);
  let accumulator = 0;
  for (let at = 0; at + INSTRUCTION_BYTES <= bpf.byteLength; at += INSTRUCTION_BYTES) {
    const code = program.getUint16(at, true);
    const k = program.getUint32(at + 4, true);
    if (code === RETURN) return k;
    if (code === LOAD) accumulator = data.getUint32(k, true);
    else if (code === AND) accumulator = (accumulator & k) >>> 0;
    else if (code === JUMP_ALWAYS) at += k * INSTRUCTION_BYTES;
    else at += program.getUint8(at + (compare(code, accumulator, k) ? 2 : 3)) * INSTRUCTION_BYTES;
  }
  throw new Error('the filter ends without a return');
}

function compare(code: number, a: number, b: number): boolean {
  if (code === JUMP_EQUAL) return a === b;
  if (code === JUMP_GREATER) return a > b;
  if (code === JUMP_GREATER_EQUAL) return a >= b;
  throw new Error(`unknown instruction 0x${code.toString(16)}`);
}

/** `struct seccomp_data`: nr, arch, instruction pointer, six arguments. */
function encodeCall({ nr, arch, args = [] }: CallData): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(NR, nr >>> 0, true);
  data.setUint32(ARCH, arch >>> 0, true);
  for (const [index, value] of args.entries())
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, value), true);
  return data;
}
