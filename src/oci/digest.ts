import { invalidArgument } from '#base';

/** A content digest, `sha256:` and 64 hex digits. Source: OCI image-spec, descriptor, "Digests". */
export type Digest = string & { readonly __brand: 'Digest' };

const SHA256 = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}

/** @throws `invalid_argument` for anything but a lower-case sha256 digest. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw invalidArgument(`invalid checksum digest format: ${JSON.stringify(text)}`);
  return text;
}

/** The digest of bytes held in memory. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}` as Digest;
}

/** The 64 hex digits of a digest: safe as a file name. */
export const digestHex = (digest: Digest): string => digest.slice('sha256:'.length);

/**
 * The chain IDs of a list of diffIDs, base layer first. Source: OCI image-spec, config, "Layer ChainID".
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : digestOf(`${parent} ${diffId}`));
  }
  return chain;
}
