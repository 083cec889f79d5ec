/** One instruction of classic BPF: `struct sock_filter` (linux/filter.h), 8 bytes, native (little) endian. */
interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

/** Codes (linux/bpf_common.h): load a word of `struct seccomp_data`, jump if equal / greater / not less, return. */
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;

/** Offsets in `struct seccomp_data` (linux/seccomp.h). */
const NR = 0;
const ARCH = 4;

const INSTRUCTION_BYTES = 8;
const RETURN_ENOSYS = 0x0005_0000 + 38;

/** Calls of the x32 ABI come with x86_64's architecture and this bit in their number. */
const X32_BIT = 0x4000_0000;

/** The highest call number that a filter knows on one architecture. */
export interface KnownCalls {
  /** `AUDIT_ARCH_*`. */
  readonly auditArch: number;
  readonly highest: number;
  /** The same for the x32 ABI, without its bit. */
  readonly highestX32?: number;
}

const load = (k: number): Instruction => ({ code: LOAD, jumpTrue: 0, jumpFalse: 0, k });
const jump = (code: number, k: number, jumpTrue: number, jumpFalse: number): Instruction => ({
  code,
  jumpTrue,
  jumpFalse,
  k,
});
const enosys: Instruction = { code: RETURN, jumpTrue: 0, jumpFalse: 0, k: RETURN_ENOSYS };

/**
 * A preamble that answers ENOSYS to calls newer than everything the filter knows, on each architecture. The C library
 * then falls back to an older call, where EPERM would be taken for an answer. All other calls fall through to the
 * filter that follows.
 */
export function unknownCallPreamble(known: readonly KnownCalls[]): Uint8Array {
  return encode(known.flatMap(architectureBlock));
}

function architectureBlock({ auditArch, highest, highestX32 }: KnownCalls): Instruction[] {
  const body = highestX32 === undefined ? plainBody(highest) : x32Body(highest, highestX32);
  return [load(ARCH), jump(JUMP_EQUAL, auditArch, 0, body.length), ...body];
}

const plainBody = (highest: number): Instruction[] => [load(NR), jump(JUMP_GREATER, highest, 0, 1), enosys];

function x32Body(highest: number, highestX32: number): Instruction[] {
  return [
    load(NR),
    // To the x32 test two instructions ahead, or on to the ordinary one.
    jump(JUMP_GREATER_EQUAL, X32_BIT, 1, 0),
    jump(JUMP_GREATER, highest, 1, 2),
    jump(JUMP_GREATER, X32_BIT + highestX32, 0, 1),
    enosys,
  ];
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jumpTrue, jumpFalse, k }] of instructions.entries()) {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jumpTrue);
    view.setUint8(at + 3, jumpFalse);
    view.setUint32(at + 4, k >>> 0, true);
  }
  return bytes;
}
