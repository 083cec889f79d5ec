/** A security context, taken apart. Source: selinux(8), `user:role:type[:level]`. */
export interface SelinuxLabel {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  /** With categories, such as `s0:c1,c2`; empty where the policy has none. */
  readonly level: string;
}

const PART = '[A-Za-z0-9_.]+';
const LABEL = new RegExp(`^(${PART}):(${PART}):(${PART})(?::([A-Za-z0-9_.,:-]+))?$`);

/** Undefined when it is none: what a policy's file or a client says goes to the kernel and into mount options. */
export function tryParseLabel(text: string): SelinuxLabel | undefined {
  const match = LABEL.exec(text);
  if (!match) return undefined;
  const [, user = '', role = '', type = '', level = ''] = match;
  return { user, role, type, level };
}

export const formatLabel = ({ user, role, type, level }: SelinuxLabel): string =>
  [user, role, type, ...(level === '' ? [] : [level])].join(':');
