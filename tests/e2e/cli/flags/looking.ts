import type { Scenario } from './scenario.ts';
import { SLEEPER } from './sleeper.ts';

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

/** What looks at containers, moves their files, and concerns all of them. */
export const LOOKING_SCENARIOS: readonly Scenario[] = [...LOOKING, ...FILES, ...SYSTEM];
