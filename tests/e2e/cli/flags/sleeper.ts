/** A container that does nothing. */
export const SLEEPER = 'run -d --name {name} busybox sleep 1000';

/** What its state has to say afterwards. */
export const state = (field: string, wanted: string | RegExp) =>
  [`inspect -f '{{.State.${field}}}' {name}`, wanted] as const;
