/** A fresh 256-bit identifier as 64 lower-case hex digits, never all-numeric in its short form. */
export function createId(): string {
  for (;;) {
    const id = crypto.getRandomValues(new Uint8Array(32)).toHex();
    // A short form of digits only could be taken for a number (a host name, a PID) by other programs.
    if (!/^\d{12}/.test(id)) return id;
  }
}

/** The first 12 digits of an identifier, as people see it. A digest prefix (`sha256:`) is dropped first. */
export function shortId(id: string): string {
  const colon = id.indexOf(':');
  return (colon >= 0 ? id.slice(colon + 1) : id).slice(0, 12);
}
