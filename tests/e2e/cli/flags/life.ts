import type { Scenario } from './scenario.ts';
import { SLEEPER, state } from './sleeper.ts';

/** Ends with 9 at USR1, as soon as it listens. */
const LISTENER = [
  `run -d --name {name} busybox sh -c 'trap "exit 9" USR1; touch /ready; while :; do sleep 0.05; done'`,
  `exec {name} sh -c 'until test -e /ready; do sleep 0.02; done'`,
];
const SHOWS_USAGE = /^\nUsage:|^Usage:/;

/** Flags of `run` and `create` that concern the client's side. */
const OWN_SIDE: readonly Scenario[] = [
  {
    line: 'create --name {name} --cidfile {dir}/{name}.cid busybox',
    prints: /^[0-9a-f]{64}$/,
    here: [['wc -c < {name}.cid', '64']],
  },
  { line: 'run --name {name} --cidfile {dir}/{name}.cid busybox true', here: [['wc -c < {name}.cid', '64']] },
  {
    line: 'create --rm --name {name} busybox',
    after: [["inspect -f '{{.HostConfig.AutoRemove}}' {name}", 'true']],
  },
  { line: 'run --rm --name {name} busybox echo out', prints: 'out', after: [['ps -aq -f name={name}', '']] },
  {
    line: 'run -d --name {name} busybox sleep 1000',
    prints: /^[0-9a-f]{64}$/,
    after: [state('Running', 'true')],
  },
  { line: 'run --detach --name {name} busybox true', prints: /^[0-9a-f]{64}$/ },
  { line: 'run -i --name {name} busybox cat', stdin: 'typed', prints: 'typed' },
  { line: 'run --interactive -a stdin -a stdout --name {name} busybox cat', stdin: 'typed', prints: 'typed' },
  { line: 'run --help', prints: SHOWS_USAGE },
  { line: 'create --help', prints: SHOWS_USAGE },
  {
    line: 'run -it --detach-keys ctrl-x --name {name} busybox sh',
    terminal: ['# ', '\x18'],
    after: [state('Running', 'true')],
  },
  { line: `run --sig-proxy=false --name {name} busybox sh -c 'exit 3'`, code: 3 },
  {
    line: 'run --use-api-socket --rm --name {name} busybox ls /var/run/docker.sock',
    prints: '/var/run/docker.sock',
    since: 'own',
  },
  {
    line: 'create --use-api-socket --name {name} busybox',
    after: [["inspect -f '{{(index .HostConfig.Mounts 0).Target}}' {name}", '/var/run/docker.sock']],
    since: 'own',
  },
];

const LIFE: readonly Scenario[] = [
  { line: 'kill -s USR1 {name}', before: LISTENER, prints: '{name}', after: [['wait {name}', '9']] },
  { line: 'kill --signal KILL {name}', before: [SLEEPER], prints: '{name}', after: [['wait {name}', '137']] },
  { line: 'stop -t 0 {name}', before: [SLEEPER], prints: '{name}', after: [state('ExitCode', '137')] },
  {
    line: 'stop --timeout 0 {name}',
    before: [SLEEPER],
    prints: '{name}',
    after: [state('ExitCode', '137')],
    since: 'modern',
  },
  { line: 'stop --time 0 {name}', before: [SLEEPER], prints: /{name}$/, after: [state('ExitCode', '137')] },
  {
    line: 'stop -s USR1 {name}',
    before: LISTENER,
    prints: '{name}',
    after: [state('ExitCode', '9')],
    since: 'modern',
  },
  {
    line: 'stop --signal USR1 {name}',
    before: LISTENER,
    prints: '{name}',
    after: [state('ExitCode', '9')],
    since: 'modern',
  },
  { line: 'restart -t 0 {name}', before: [SLEEPER], prints: '{name}', after: [state('Running', 'true')] },
  {
    line: 'restart --timeout 0 {name}',
    before: [SLEEPER],
    prints: '{name}',
    after: [state('Running', 'true')],
    since: 'modern',
  },
  {
    line: 'restart --time 0 {name}',
    before: [SLEEPER],
    prints: /{name}$/,
    after: [state('Running', 'true')],
  },
  {
    line: 'restart -s KILL {name}',
    before: [SLEEPER],
    prints: '{name}',
    after: [state('Running', 'true')],
    since: 'modern',
  },
  {
    line: 'restart --signal KILL {name}',
    before: [SLEEPER],
    prints: '{name}',
    after: [state('Running', 'true')],
    since: 'modern',
  },
  {
    line: 'start -a {name}',
    before: [`create --name {name} busybox sh -c 'echo out; exit 6'`],
    prints: 'out',
    code: 6,
  },
  { line: 'start --attach {name}', before: ['create --name {name} busybox echo out'], prints: 'out' },
  {
    line: 'start -i {name}',
    before: ['create -i --name {name} busybox cat'],
    stdin: 'typed',
    prints: 'typed',
  },
  {
    line: 'start --interactive {name}',
    before: ['create -i --name {name} busybox cat'],
    stdin: 'typed',
    prints: 'typed',
  },
  {
    line: 'start -ai --detach-keys ctrl-x {name}',
    before: ['create -it --name {name} busybox sh'],
    terminal: ['# ', '\x18'],
    after: [state('Running', 'true')],
  },
  {
    line: 'start --checkpoint one {name}',
    before: ['create --name {name} busybox true'],
    code: 1,
    complains: /only supported on a Docker daemon with experimental features enabled/,
  },
  {
    line: 'start --checkpoint-dir /tmp {name}',
    before: ['create --name {name} busybox true'],
    code: 1,
    complains: /only supported on a Docker daemon with experimental features enabled/,
  },
  { line: 'rm -f {name}', before: [SLEEPER], prints: '{name}', after: [['ps -aq -f name={name}', '']] },
  { line: 'rm --force {name}', before: [SLEEPER], prints: '{name}', after: [['ps -aq -f name={name}', '']] },
  {
    line: 'rm -v {name}',
    before: [
      'volume create {name}-kept',
      'create -l {name} -v /data -v {name}-kept:/kept --name {name} busybox',
    ],
    prints: '{name}',
    after: [
      ['volume ls -q -f name={name}', '{name}-kept'],
      ['volume rm {name}-kept', '{name}-kept'],
    ],
  },
  {
    line: 'rm --volumes {name}',
    before: ['create -v /data --name {name} busybox'],
    prints: '{name}',
    after: [['ps -aq -f name={name}', '']],
  },
  { line: 'rm -l {shared}/nothing', code: 1, complains: /./ },
  { line: 'rm --link {shared}/nothing', code: 1, complains: /./ },
  {
    line: 'attach --no-stdin {name}',
    before: [`run -d -i --name {name} busybox sh -c 'sleep 0.5; exit 5'`],
    code: 5,
  },
  {
    line: 'attach --sig-proxy=false {name}',
    before: [`run -d --name {name} busybox sh -c 'sleep 0.5; exit 4'`],
    code: 4,
  },
  {
    line: 'attach --detach-keys ctrl-y {name}',
    before: ['run -dit --name {name} busybox sh'],
    terminal: ['', 'echo one$((1+1))\r', 'one2', '\x19'],
    code: 1,
    after: [state('Running', 'true')],
  },
];

const UPDATE: readonly Scenario[] = (
  [
    [
      '-c 256 --cpu-period 50000 --cpu-quota 20000',
      '{{.CpuShares}} {{.CpuPeriod}} {{.CpuQuota}}',
      '256 50000 20000',
      'cat /sys/fs/cgroup/cpu/cpu.shares',
      '256',
    ],
    ['--cpu-shares 128', '{{.CpuShares}}', '128', 'cat /sys/fs/cgroup/cpu/cpu.shares', '128'],
    [
      '-m 48m --memory-swap 96m --memory-reservation 24m',
      '{{.Memory}} {{.MemorySwap}} {{.MemoryReservation}}',
      '50331648 100663296 25165824',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
      '50331648',
    ],
    [
      '--memory 40m --memory-swap -1',
      '{{.Memory}} {{.MemorySwap}}',
      '41943040 -1',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
      '41943040',
    ],
    [
      '--cpuset-cpus 0 --cpuset-mems 0',
      '{{.CpusetCpus}} {{.CpusetMems}}',
      '0 0',
      'cat /sys/fs/cgroup/cpuset/cpuset.cpus',
      '0',
    ],
    ['--pids-limit 33', '{{.PidsLimit}}', '33', 'cat /sys/fs/cgroup/pids/pids.max', '33'],
    [
      '--restart on-failure:2',
      '{{.RestartPolicy.Name}} {{.RestartPolicy.MaximumRetryCount}}',
      'on-failure 2',
      'echo',
      '',
    ],
    ['--cpus 0.5', '{{.NanoCpus}}', '500000000', 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us', '50000'],
  ] as const
).map(([flags, template, wanted, script, seen]) => ({
  line: `update ${flags} {name}`,
  before: [SLEEPER],
  prints: '{name}',
  needs: 'cgroup v1',
  ...(flags.startsWith('--cpus ') && { since: 'modern' }),
  after: [
    [`inspect -f '${template.replaceAll('{{.', '{{.HostConfig.')}' {name}`, wanted],
    [`exec {name} ${script}`, seen],
  ],
}));

const UPDATE_REFUSED: readonly Scenario[] = [
  { line: 'update --blkio-weight 300 {name}', before: [SLEEPER], prints: '{name}' },
  {
    line: 'update --cpu-rt-period 1000000 {name}',
    before: [SLEEPER],
    prints: '{name}',
    after: [["inspect -f '{{.HostConfig.CpuRealtimePeriod}}' {name}", '1000000']],
  },
  {
    line: 'update --cpu-rt-runtime 1000 {name}',
    before: [SLEEPER],
    code: 1,
    complains: /real.time|rt_runtime/i,
  },
  { line: 'update --kernel-memory 64m {name}', before: [SLEEPER], prints: /{name}$/ },
];

const EXEC: readonly Scenario[] = [
  {
    line: `exec -e A=1 --env B=2 --env-file {dir}/env {shared} sh -c 'echo $A$B$FROM_FILE'`,
    prints: '12file value',
  },
  { line: 'exec -w /etc {shared} pwd', prints: '/etc' },
  { line: 'exec --workdir /etc -u 12:34 {shared} id -g', prints: '34' },
  { line: 'exec --user 5 {shared} id -u', prints: '5' },
  {
    line: 'exec -d {shared} touch /tmp/{name}',
    after: [[`exec {shared} sh -c 'until test -e /tmp/{name}; do :; done; echo seen'`, 'seen']],
  },
  {
    line: 'exec --detach {shared} touch /tmp/{name}',
    after: [[`exec {shared} sh -c 'until test -e /tmp/{name}; do :; done; echo seen'`, 'seen']],
  },
  { line: 'exec -i {shared} cat', stdin: 'typed', prints: 'typed' },
  { line: 'exec --interactive {shared} cat', stdin: 'typed', prints: 'typed' },
  { line: 'exec -t {shared} tty', prints: /^\/dev\/pts\/\d+\r?$/ },
  { line: 'exec --tty {shared} tty', prints: /^\/dev\/pts\/\d+\r?$/ },
  {
    line: 'exec --privileged {shared} grep CapEff /proc/self/status',
    prints: /CapEff:\s(?!00000000a80425fb)[0-9a-f]{16}/,
  },
  { line: `exec --sig-proxy=false {shared} sh -c 'exit 3'`, code: 3, since: 'own' },
  { line: `exec --kill-on-disconnect {shared} sh -c 'exit 3'`, code: 3, since: 'own' },
  { line: 'exec -it --detach-keys ctrl-x {shared} sh', terminal: ['# ', '\x18'], code: 1 },
];

/** What begins, changes and ends containers, and what runs in them. */
export const LIFE_SCENARIOS: readonly Scenario[] = [
  ...OWN_SIDE,
  ...LIFE,
  ...UPDATE,
  ...UPDATE_REFUSED,
  ...EXEC,
];
