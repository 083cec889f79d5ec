import { type Client, dockerClients } from '../../harness/programs.ts';

/** Whether a client knows what came after docker 20.10: `stop --signal`, `run --annotation`, `cp --quiet` and so on. */
export const isModern = ({ name }: Client): boolean => !/docker (1\d|2[0-2])\./.test(name);

/** The official clients whose texts ours follow. */
export const modernDockers = (): Client[] => dockerClients().filter(isModern);
