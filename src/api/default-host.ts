/** Where an engine listens, and its clients look for it, unless they are told otherwise. The only place that knows it. */
export const DEFAULT_HOST = 'unix:///run/gantry/gantry.sock';
