export { encodeTarHeader, type TarHeaderInit, tarEnd, tarPadding } from './encode.ts';
export { decodeName, encodeName } from './names.ts';
export { TarParser, type TarSink } from './parser.ts';
export { readTar, type TarEntry } from './reader.ts';
export type { TarEntryType, TarHeader, TarLimits, TarSegment } from './types.ts';
export { createTarStream, type TarBody, type TarInput, type WriteTarOptions, writeTar } from './writer.ts';
