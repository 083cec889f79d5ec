/** What every function of a stand-in does: `return -ENOSYS`. */
const CODE: Readonly<Record<string, { readonly machine: number; readonly bytes: readonly number[] }>> = {
  x64: { machine: 62, bytes: [0xb8, 0xda, 0xff, 0xff, 0xff, 0xc3] },
  arm64: { machine: 183, bytes: [0xa0, 0x04, 0x80, 0x12, 0xc0, 0x03, 0x5f, 0xd6] },
};
const EHDR = 64;
const PHDR = 56;
const SYMBOL = 24;
const VERDEF = 28;
/** The largest page size of any architecture we have. */
const PAGE = 65_536;
const DT = { hash: 4, strtab: 5, symtab: 6, strsz: 10, syment: 11, soname: 14 } as const;
const DT_VERSYM = 0x6ffffff0;
const DT_VERDEF = 0x6ffffffc;
const DT_VERDEFNUM = 0x6ffffffd;

/** Functions by symbol version, as `{ LIBSYSTEMD_209: ['sd_notify'] }`. */
export type VersionedFunctions = Readonly<Record<string, readonly string[]>>;

/**
 * A shared library (ELF64) called `soname` whose functions all run `body` (default: answer -ENOSYS), in one page that no process needs to
 * write to. Undefined for an architecture we have no code for. Source: gabi 4.1, "Dynamic Linking"; LSB, symbol versions.
 */
export function standInLibrary(
  soname: string,
  functions: VersionedFunctions,
  arch: string = process.arch,
  body: readonly number[] | undefined = CODE[arch]?.bytes,
): Uint8Array | undefined {
  const code = CODE[arch];
  if (!code || !body) return undefined;
  const strings = new StringTable();
  const tables = dynamicTables(soname, functions, strings);
  const image = new Image();
  image.skip(EHDR + 3 * PHDR);
  const at = {
    hash: image.add(hashTable(tables.names.length)),
    versym: image.add(tables.versym),
    symtab: image.skip((tables.names.length + 1) * SYMBOL),
    verdef: image.add(tables.verdef),
    strtab: image.add(strings.bytes()),
  };
  const text = image.add(Uint8Array.from(body));
  image.put(at.symtab + SYMBOL, symbols(tables.names, text, body.length));
  const entries: [tag: number, value: number][] = [
    [DT.soname, strings.offsetOf(soname)],
    [DT.hash, at.hash],
    [DT.strtab, at.strtab],
    [DT.symtab, at.symtab],
    [DT.strsz, strings.bytes().length],
    [DT.syment, SYMBOL],
    [DT_VERSYM, at.versym],
    [DT_VERDEF, at.verdef],
    [DT_VERDEFNUM, Object.keys(functions).length + 1],
    [0, 0],
  ];
  const dynamic = image.add(words64(entries.flat()));
  image.put(0, headers(code.machine, image.size, dynamic, entries.length * 16));
  return image.bytes();
}

interface DynamicTables {
  /** Offsets of the functions' names in the string table. */
  readonly names: readonly number[];
  readonly versym: Uint8Array;
  readonly verdef: Uint8Array;
}

/** Version 1 is the library itself, the others follow. */
function dynamicTables(soname: string, functions: VersionedFunctions, strings: StringTable): DynamicTables {
  const versions = Object.entries(functions);
  const names = versions.flatMap(([, list]) => list.map((name) => strings.offsetOf(name)));
  const indexes = versions.flatMap(([, list], at) => list.map(() => at + 2));
  const definitions = [soname, ...versions.map(([version]) => version)].map((name, at) =>
    versionDefinition(name, at, at === versions.length, strings),
  );
  return {
    names,
    versym: new Uint8Array(Uint16Array.from([0, ...indexes]).buffer),
    verdef: Buffer.concat(definitions),
  };
}

function versionDefinition(name: string, at: number, isLast: boolean, strings: StringTable): Uint8Array {
  const view = new DataView(new ArrayBuffer(VERDEF));
  view.setUint16(0, 1, true);
  view.setUint16(2, at === 0 ? 1 : 0, true);
  view.setUint16(4, at + 1, true);
  view.setUint16(6, 1, true);
  view.setUint32(8, elfHash(name), true);
  view.setUint32(12, 20, true);
  view.setUint32(16, isLast ? 0 : VERDEF, true);
  view.setUint32(20, strings.offsetOf(name), true);
  return new Uint8Array(view.buffer);
}

/** The System V hash of a name. */
function elfHash(name: string): number {
  let hash = 0;
  for (const char of Buffer.from(name)) {
    hash = ((hash << 4) >>> 0) + char;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

/** One bucket with everything in it: there are a few dozen names. */
function hashTable(count: number): Uint8Array {
  const chain = Array.from({ length: count + 1 }, (_, at) => (at === 0 || at === count ? 0 : at + 1));
  return new Uint8Array(Uint32Array.from([1, count + 1, 1, ...chain]).buffer);
}

/** All names mean the same code. */
function symbols(names: readonly number[], address: number, size: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(names.length * SYMBOL));
  for (const [index, name] of names.entries()) {
    const at = index * SYMBOL;
    view.setUint32(at, name, true);
    // STB_GLOBAL, STT_FUNC; any section but "undefined".
    view.setUint8(at + 4, 0x12);
    view.setUint16(at + 6, 1, true);
    view.setBigUint64(at + 8, BigInt(address), true);
    view.setBigUint64(at + 16, BigInt(size), true);
  }
  return new Uint8Array(view.buffer);
}

function headers(machine: number, size: number, dynamic: number, dynamicSize: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(EHDR + 3 * PHDR));
  for (const [at, byte] of [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].entries()) view.setUint8(at, byte);
  const halves: readonly (readonly [at: number, value: number])[] = [
    [16, 3],
    [18, machine],
    [52, EHDR],
    [54, PHDR],
    [56, 3],
  ];
  for (const [at, value] of halves) view.setUint16(at, value, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(EHDR), true);
  // Type, flags, offset, size, alignment: everything in one R-X segment; the dynamic section; no executable stack.
  const segments = [
    [1, 5, 0, size, PAGE],
    [2, 4, dynamic, dynamicSize, 8],
    [0x6474e551, 6, 0, 0, 16],
  ] as const;
  for (const [index, [type, flags, offset, length, align]] of segments.entries()) {
    const at = EHDR + index * PHDR;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    const fields = [offset, offset, offset, length, length, align];
    for (const [field, value] of fields.entries()) view.setBigUint64(at + 8 + field * 8, BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

const words64 = (values: readonly number[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);

/** NUL-terminated strings; the first is empty. */
class StringTable {
  #text = '\0';

  offsetOf(name: string): number {
    const known = this.#text.indexOf(`\0${name}\0`);
    if (known >= 0) return known + 1;
    const offset = this.#text.length;
    this.#text += `${name}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return Buffer.from(this.#text, 'latin1');
  }
}

/** The file as it grows, everything at multiples of 8. */
class Image {
  readonly #parts: [offset: number, bytes: Uint8Array][] = [];
  size = 0;

  skip(length: number): number {
    const offset = this.size;
    this.size += Math.ceil(length / 8) * 8;
    return offset;
  }

  add(bytes: Uint8Array): number {
    const offset = this.skip(bytes.length);
    this.put(offset, bytes);
    return offset;
  }

  put(offset: number, bytes: Uint8Array): void {
    this.#parts.push([offset, bytes]);
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.size);
    for (const [offset, bytes] of this.#parts) whole.set(bytes, offset);
    return whole;
  }
}
