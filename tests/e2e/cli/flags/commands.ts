import type { Scenario } from './scenario.ts';

const SLEEPER = 'run -d --name {name} busybox sleep 1000';
/** Ends with 9 at USR1, as soon as it listens. */
const LISTENER = [
  `run -d --name {name} busybox sh -c 'trap "exit 9" USR1; touch /ready; while :; do sleep 0.05; done'`,
  `exec {name} sh -c 'until test -e /ready; do sleep 0.02; done'`,
];
const state = (field: string, wanted: string | RegExp) =>
  [`inspect -f '{{.State.${field}}}' {name}`, wanted] as const;
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

const LOOKING: readonly Scenario[] = [
  { line: 'logs {shared}', prints: 'first\nlast' },
  {
    line: 'logs -f {name}',
    before: [`run -d --name {name} busybox sh -c 'echo a; sleep 0.3; echo b'`],
    prints: 'a\nb',
  },
  {
    line: 'logs --follow {name}',
    before: [`run -d --name {name} busybox sh -c 'echo a; sleep 0.3; echo b'`],
    prints: 'a\nb',
  },
  { line: 'logs -n 1 {shared}', prints: 'last' },
  { line: 'logs --tail 1 {shared}', prints: 'last' },
  { line: 'logs -t {shared}', prints: /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z first\n/ },
  { line: 'logs --timestamps {shared}', prints: /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z first\n/ },
  { line: 'logs --since 1h {shared}', prints: 'first\nlast' },
  { line: 'logs --until 1h {shared}', prints: '' },
  { line: 'logs --details {shared}', prints: 'kind=test first\nkind=test last' },
  { line: 'ps -a -f name={name}', before: ['create --name {name} busybox'], prints: /{name}$/ },
  {
    line: "ps --all --filter name={name} --format '{{.Names}} {{.State}}'",
    before: ['create --name {name} busybox'],
    prints: '{name} created',
  },
  { line: "ps -l --format '{{.Names}}'", before: ['create --name {name} busybox'], prints: '{name}' },
  { line: "ps --latest --format '{{.Names}}'", before: ['create --name {name} busybox'], prints: '{name}' },
  { line: "ps -n 1 --format '{{.Names}}'", before: ['create --name {name} busybox'], prints: '{name}' },
  { line: "ps --last 1 --format '{{.Names}}'", before: ['create --name {name} busybox'], prints: '{name}' },
  { line: 'ps -q -f name={shared}', prints: /^[0-9a-f]{12}$/ },
  { line: 'ps --quiet --no-trunc -f name={shared}', prints: /^[0-9a-f]{64}$/ },
  { line: 'ps -s -f name={shared}', prints: /SIZE\n.*\(virtual / },
  { line: 'ps --size -f name={shared}', prints: /SIZE\n.*\(virtual / },
  { line: "inspect -f '{{.Name}}' {shared}", prints: '/{shared}' },
  { line: "inspect --format '{{.Name}}' --type container {shared}", prints: '/{shared}' },
  { line: 'inspect -s {shared}', prints: /"SizeRw": \d+/ },
  { line: 'inspect --size {shared}', prints: /"SizeRw": \d+/ },
  { line: "container inspect -f '{{.Name}}' {shared}", prints: '/{shared}' },
  { line: "container inspect --format '{{.Name}}' -s {shared}", prints: '/{shared}' },
  { line: 'container inspect --size {shared}', prints: /"SizeRw": \d+/ },
  { line: "stats --no-stream --format '{{.Name}} {{.PIDs}}' {shared}", prints: /^{shared} \d+$/ },
  {
    line: "stats -a --no-stream --format '{{.Name}}'",
    before: ['create --name {name} busybox'],
    prints: /{name}/,
  },
  { line: "stats --all --no-stream --no-trunc --format '{{.ID}}'", prints: /[0-9a-f]{64}/ },
  { line: 'diff {name}', before: [`run --name {name} busybox touch /new`], prints: /A \/new/ },
  { line: 'top {shared} -o pid,comm', prints: /^\s*PID\s+COMMAND\n[\s\S]*\d+\s+sleep/ },
  {
    line: 'port {name}',
    before: ['run -d -p 127.0.0.1::80 --name {name} busybox sleep 1000'],
    prints: /^80\/tcp -> 127\.0\.0\.1:\d+$/,
  },
];

const FILES: readonly Scenario[] = [
  { line: 'cp -a {dir}/owned {shared}:/tmp/{name}', after: [['exec {shared} stat -c %u /tmp/{name}', '12']] },
  {
    line: 'cp --archive {dir}/owned {shared}:/tmp/{name}',
    after: [['exec {shared} stat -c %u /tmp/{name}', '12']],
  },
  {
    line: 'cp -L {dir}/link {shared}:/tmp/{name}',
    after: [['exec {shared} cat /tmp/{name}', 'from the host']],
  },
  {
    line: 'cp --follow-link {dir}/link {shared}:/tmp/{name}',
    after: [['exec {shared} cat /tmp/{name}', 'from the host']],
  },
  {
    line: 'cp -q {dir}/file {shared}:/tmp/{name}',
    prints: '',
    after: [['exec {shared} cat /tmp/{name}', 'from the host']],
    since: 'modern',
  },
  {
    line: 'cp --quiet=false {dir}/file {shared}:/tmp/{name}',
    prints: '',
    complains: /Successfully copied/,
    since: 'modern',
  },
  {
    line: 'cp --chown 3:4 {dir}/file {shared}:/tmp/{name}',
    after: [['exec {shared} stat -c %u:%g /tmp/{name}', '3:4']],
    since: 'own',
  },
  { line: 'export -o {dir}/{name}.tar {shared}', here: [['tar -tf {name}.tar etc/passwd', 'etc/passwd']] },
  {
    line: 'export --output {dir}/{name}.tar {shared}',
    here: [['tar -tf {name}.tar etc/passwd', 'etc/passwd']],
  },
  {
    line: "commit -a 'Ann Lee' -m why -c 'ENV A=1' {shared} {name}",
    prints: /^sha256:/,
    after: [
      ["image inspect -f '{{.Author}} {{.Comment}} {{index .Config.Env 0}}' {name}", /^Ann Lee why /],
      ['rmi {name}', /Deleted|Untagged/],
    ],
  },
  {
    line: "commit --author A --message B --change 'WORKDIR /srv' {shared} {name}",
    after: [
      ["image inspect -f '{{.Author}} {{.Comment}} {{.Config.WorkingDir}}' {name}", 'A B /srv'],
      ['rmi {name}', /Deleted|Untagged/],
    ],
  },
  {
    line: 'commit -p=false {shared} {name}',
    prints: /^sha256:/,
    after: [['rmi {name}', /Deleted|Untagged/]],
  },
  { line: 'commit --pause {shared} {name}', prints: /^sha256:/, after: [['rmi {name}', /Deleted|Untagged/]] },
  {
    line: 'commit --no-pause {shared} {name}',
    prints: /^sha256:/,
    after: [['rmi {name}', /Deleted|Untagged/]],
    since: 'own',
  },
];

const SYSTEM: readonly Scenario[] = [
  {
    line: 'container prune -f --filter label={name}',
    before: ['create -l {name} --name {name} busybox'],
    prints: /^Deleted Containers:\n[0-9a-f]{64}\n/,
    after: [['ps -aq -f name={name}', '']],
  },
  { line: 'container prune --force --filter label={name}', prints: 'Total reclaimed space: 0B' },
  { line: "info -f '{{.OSType}}'", prints: 'linux' },
  { line: "info --format '{{.OSType}}'", prints: 'linux' },
  { line: "version -f '{{.Server.Os}}'", prints: 'linux' },
  { line: "version --format '{{.Server.Os}}'", prints: 'linux' },
  { line: "system df --format '{{.Type}}'", prints: /^Images\nContainers\nLocal Volumes/ },
  { line: 'system df -v', prints: /Containers space usage:[\s\S]*{shared}/ },
  { line: 'system df --verbose', prints: /Containers space usage:[\s\S]*{shared}/ },
  { line: "events --since 0 --until 1h -f container={shared} --format '{{.Action}}'", prints: '' },
  {
    line: "system events --since 1h --until {soon} --filter container={name} --filter event=start --format '{{.Action}}'",
    before: [SLEEPER],
    prints: 'start',
  },
  {
    line: 'system prune -f --filter label={name}',
    before: ['create -l {name} --name {name} busybox'],
    prints: /^Deleted Containers:\n[0-9a-f]{64}\n[\s\S]*Total reclaimed space: /,
  },
  { line: 'system prune --force -a --filter label={name}', prints: 'Total reclaimed space: 0B' },
  {
    line: 'system prune --all --volumes -f --filter label={name}',
    before: ['volume create --label {name} {name}'],
    prints: /Total reclaimed space: 0B$/,
  },
];

/** Every command that concerns containers, with every flag of its own. */
export const SCENARIOS: readonly Scenario[] = [
  ...OWN_SIDE,
  ...LIFE,
  ...UPDATE,
  ...UPDATE_REFUSED,
  ...EXEC,
  ...LOOKING,
  ...FILES,
  ...SYSTEM,
] as readonly Scenario[];
