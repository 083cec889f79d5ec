const NS_PER_S = 1_000_000_000n;

/** Nanoseconds since the epoch as Go writes a time in UTC: RFC 3339 with as many decimals as are needed. */
export function formatNs(timeNs: bigint): string {
  const seconds = timeNs >= 0n ? timeNs / NS_PER_S : -((-timeNs + NS_PER_S - 1n) / NS_PER_S);
  const nanos = timeNs - seconds * NS_PER_S;
  const decimals = nanos.toString().padStart(9, '0').replace(/0+$/, '');
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${decimals === '' ? '' : `.${decimals}`}Z`;
}
