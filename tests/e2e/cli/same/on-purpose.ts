const BROKEN = 'ours has other words for the same mistake';

/**
 * Lines that ours answers in another way than docker 28.2.2, and why. The test makes sure that they still differ, so that
 * the list tells the truth.
 */
export const ON_PURPOSE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['', ' x', ' x x more', ' --nope', ' -Z', ' --nope=1 x x', ' ---x'].map((rest) => [
      `cp${rest}`,
      'ours copies between containers, and its usage says so',
    ]),
  ),
  container: 'the summaries are our words',
  system: 'the summaries are our words',
  'images  y more': "docker's text has a typing error (SRun)",
  'cp nothing:/x nowhere:/y': 'ours copies between containers',
  'run --name {new} --detach-keys ctrl- busybox true': 'docker shows a failed upgrade instead of the reason',
  'run --name {new} --detach-keys ctrl-1 busybox true': 'docker shows a failed upgrade instead of the reason',
  'create --name {new} --volume-driver nope -v vol:/x busybox':
    'docker takes a missing plugin for a missing image',
  'create --name {new} --security-opt seccomp={dir}/bad-env busybox': "the reason is the JSON parser's own",
  'stop --time 1 {stopped}': 'docker warns of the old name on standard output, where scripts read names',
  'stop -t 1 --time 2 {stopped}': 'docker warns of the old name on standard output, where scripts read names',
  'cp /nope {running}:/tmp': 'docker shows a path with two slashes',
  'cp {dir}/good-env {running}:': 'an empty path is the root',
  'cp {dir}/good-env/ {running}:/tmp': 'ours says which file is not a directory',
  'cp -a --quiet=false {dir}/good-env {running}:/tmp/loud': 'ours keeps nanoseconds, which take more room',
  "ps -a --format '{{.}}'": "docker prints what is inside of Go's values",
  "ps -a --format 'table {{.Nope}}'": 'docker counts the word table in',
  "inspect -f '{{.State.Health}}' {running}": 'docker prints addresses',
  "inspect -f '{{.State}}' {running}": 'docker prints addresses',
  "inspect -f '{{json .}}' {running}": "docker's types have OnBuild, which newer engines leave out",
  "inspect -f '{{json .Config}}' {running}": "docker's types have OnBuild, which newer engines leave out",
  "inspect -f '{{.' {running}": BROKEN,
  "inspect -f '{{@}}' {running}": BROKEN,
  "inspect -f '{{.Name -}' {running}": BROKEN,
  "inspect -f '{{.a.b.}}' {running}": BROKEN,
};
