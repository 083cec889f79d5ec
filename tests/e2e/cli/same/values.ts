import type { Row, Rows } from './row.ts';

/** Flags of `create` with values that cannot be. The image is not looked for. */
const VALUES = `
-m x|-m 1|-m 1k|-m -5|-m 1z|-m 5mb|-m 1.5x|-m ''|--memory-swap x|--memory-swap 1m|-m 64m --memory-swap 32m|--memory-swap -2|--memory-reservation x|-m 64m --memory-reservation 128m|--memory-swappiness 101|--memory-swappiness x|--memory-swappiness -2|--kernel-memory x
--cpus x|--cpus -1|--cpus 1000|--cpus 0.000000001|--cpus 1.0000000001|--cpus 1/2|--cpus ''|--cpus 1 --cpu-quota 50000|-c x|-c -1|--cpu-period 1|--cpu-period x|--cpu-quota 1|--cpu-quota x|--cpuset-cpus x|--cpuset-cpus 0-99|--cpuset-mems 9|--cpu-rt-runtime 1|--cpu-rt-period x|--cpu-rt-period 1000 --cpu-rt-runtime 2000
--blkio-weight 5|--blkio-weight 70000|--blkio-weight x|--blkio-weight 1001|--blkio-weight-device x|--blkio-weight-device /dev/sda:x|--blkio-weight-device sda:10|--blkio-weight-device /dev/sda:5|--device-read-bps x|--device-read-bps /dev/x:y|--device-read-bps x:1|--device-write-bps /dev/x:-1|--device-read-iops /dev/x:1k|--device-write-iops x
--pids-limit x|--pids-limit 1.5|--oom-score-adj 2000|--oom-score-adj x|--oom-score-adj -1001|--shm-size x|--shm-size -1|--shm-size 0|--ulimit x|--ulimit nofile|--ulimit nofile=x|--ulimit nofile=10:5|--ulimit nope=1|--ulimit nofile=1:2:3|--ulimit nofile=|--ulimit =1
-p x|-p 99999:80|-p 80:99999|-p 80:|-p :|-p 1-2:3-5|-p 80/nope|-p 80:80/nope|-p 1.2.3:80:80|-p 1.2.3.4:x:80|-p ''|-p a:b:c:d|-p 80:80:80|-p 0|-p -1|-p 2-1|--expose x|--expose 99999|--expose 2-1|--expose 80/nope|--expose ''
--restart nope|--restart always:3|--restart on-failure:x|--restart on-failure:-1|--restart :3|--restart unless-stopped:1|--restart no:2|--restart on-failure:1:2|--rm --restart always|--rm --restart no|--restart on-failure:
-e ''|-e =x|--env-file /nope|--env-file {dir}/bad-env|--env-file {dir}/no-name|--env-file {dir}|-l ''|-l =x|--label-file /nope|--label-file {dir}/bad-env|--label-file {dir}/no-name
--mount x|--mount type=bind|--mount type=bind,target=/x|--mount type=bind,source=/nope,target=/x|--mount type=bind,source=rel,target=/x|--mount type=nope,target=/x|--mount type=volume,target=x|--mount target=/x,readonly=maybe|--mount type=tmpfs,target=/x,tmpfs-size=y|--mount type=tmpfs,target=/x,tmpfs-mode=9|--mount type=tmpfs,source=/a,target=/x|--mount type=bind,source=/tmp,target=/x,volume-driver=a|--mount type=volume,target=/x,bind-propagation=shared|--mount type=bind,source=/tmp,target=/x,bind-propagation=nope|--mount ''|--mount type=tmpfs|--mount type=volume,target=/x,tmpfs-size=1|--mount nope=1,target=/x|--mount type=bind,source=/tmp,target=/x,consistency=nope|--mount 'type=bind,"source=/tmp,target=/x'|--mount type=bind,source=/tmp,target=/x,bind-nonrecursive=x|--mount type=bind,src=/tmp,dst=/x,bind-recursive=nope|--mount type=bind,source=/tmp,target=/|--mount type=volume,target=/x,volume-opt=a|--mount type=image,target=/x|--mount type=npipe,source=a,target=/x|--mount type=volume,target=/x,volume-nocopy=z|--mount type=volume,source=a/b,target=/x|--mount type=bind,source=/tmp,target=/x --mount type=bind,source=/etc,target=/x
-v x|-v :|-v /tmp:rel|-v /tmp:/x:nope|-v a:b:c:d|-v /tmp:/|-v ''|-v rel/path:/x|-v ./rel:nope|-v /tmp:/x:ro,rw|-v a/b:/x|-v UPPER_x!:/x|-v /tmp:/x -v /etc:/x|-v x:/y:ro:rw|-v /tmp:/x:shared,private|--tmpfs rel|--tmpfs /x:nope|--tmpfs /x:size=y|--tmpfs ''|--volumes-from nothing|--volumes-from nothing:zz|--volumes-from ''|--volume-driver nope -v vol:/x|--storage-opt x|--storage-opt size=1G
--health-interval x|--health-interval 1|--health-interval -1s|--health-interval 1us|--health-retries x|--health-retries -1|--health-timeout 1|--health-start-period -1s|--no-healthcheck --health-cmd x|--health-start-interval 1us|--health-timeout 1us --health-cmd x|--no-healthcheck --health-interval 1s
--network nope|--network ''|--network container:|--network container:nothing|--network name=bridge,nope=1|--network host --network bridge|--network bridge --network bridge|--network none -p 80:80|--network host -h x|--network container:{running} -h x|--network container:{running} -p 80|--network container:{running} --dns 1.1.1.1|--network container:{running} --add-host a:1.1.1.1|--network container:{running} --expose 80|--network container:{running} --mac-address 02:00:00:00:00:01|--network host --link {running}|--network container:{running} --link {running}|--ip x|--ip 1.2.3.4|--ip6 x|--ip6 ::1|--ip 1.2.3|--ip 999.1.1.1|--mac-address x|--mac-address 00:11|--link x:y:z|--link ''|--link nothing|--link-local-ip x|--network-alias x|--dns x|--dns ''|--dns-search 'a b'|--dns-search ''|--add-host x|--add-host x:y|--add-host ''|--add-host :1.1.1.1|--add-host a:1.2.3.4.5|--network name=bridge,ip=x|--network bridge,alias=x
--cap-add nope|--cap-add ''|--cap-drop nope|--cap-add ALL --cap-drop nope|--security-opt x|--security-opt seccomp=/nope|--security-opt nope=1|--security-opt seccomp={dir}/bad-env|--security-opt no-new-privileges=x|--security-opt label|--security-opt systempaths=x|--security-opt ''|--device /nope|--device x|--device /dev/null:/x:q|--device /dev/null:x|--device ''|--device /dev/null:/x:rwm:z|--device vendor.example/nope=x|--device-cgroup-rule x|--device-cgroup-rule 'c 1:3'|--device-cgroup-rule 'c 1:3 z'|--device-cgroup-rule ''|--gpus x|--gpus all|--gpus nope=1|--gpus count=x|--gpus ''|--gpus count=1,count=2|--gpus device=0,count=1|--gpus driver=x
--ipc nope|--ipc container:|--ipc container:nothing|--ipc private|--pid nope|--pid container:|--pid container:nothing|--pid private|--uts nope|--uts private|--userns nope|--userns private|--cgroupns nope|--cgroupns x|--cgroup-parent a/b|--isolation nope|--runtime nope|--runtime ''|--sysctl x|--sysctl nope=1|--sysctl kernel.hostname=x|--sysctl net.ipv4.ip_forward|--sysctl net.ipv4.nope=1 --network host|--group-add ''|-u ''|--stop-signal nope|--stop-signal 99|--stop-signal ''|--stop-timeout x|--log-driver nope|--log-opt x|--log-driver none --log-opt a=b|--log-opt nope=1|--log-opt max-size=x|--log-driver local --log-opt nope=1|--log-opt mode=x|--log-opt max-file=0
--pull nope|--pull ''|--platform x/y/z/w|--platform nope|--name ''|--name -x|--name 'a b'|--name a/b|--name x|--name {running}|--cidfile {dir}/bad-env|--cidfile {dir}/no/where|-a x|-a ''|-a stdin -a nope|-w rel|-w ''|--annotation x|--annotation =x|--annotation ''|-h 'a b'|-h toolongtoolongtoolongtoolongtoolongtoolongtoolongtoolongtoolongtoolong|--domainname 'a b'|--cpu-count 1|--cpu-percent 1|--io-maxbandwidth 1m|--io-maxiops 1|--cpu-count x|--io-maxbandwidth x|--use-api-socket=x|--init=x|--privileged=x|--rm=x|-t=x|--entrypoint ''|--disable-content-trust=x|--health-cmd ''|--env-file {dir}/good-env|--label-file {dir}/good-env
`
  .trim()
  .split(/[|\n]/);

const onCreate = (flags: string): Row => ({
  line: /--name/.test(flags) ? `create ${flags} busybox` : `create --name {new} ${flags} busybox`,
});

export const CREATE_VALUES: Rows = VALUES.map(onCreate);

/** The same mistakes are told differently by `run`, and it has its own. */
export const RUN_VALUES: Rows = [
  ...[
    '-m 1k',
    '-m x',
    '-p x',
    '--restart nope',
    '--mount x',
    '--network nope',
    '--device /nope',
    '--log-driver nope',
    '--env-file /nope',
    '--runtime nope',
    '--security-opt nope=1',
    '--pull nope',
    '--cpus 1000',
    '-v /tmp:/',
    '--name a/b',
    '--rm --restart always',
    '-d -a stdout',
    '-d --rm',
    '--detach-keys x',
    '--detach-keys ctrl-',
    '--detach-keys ctrl-1',
    '-it --detach-keys ctrl-xx',
    '--sig-proxy=x',
    '--cidfile {dir}/bad-env',
    '-w rel',
    '--pid nope',
    '-u nope',
    '-u 1:nope',
    '--cpu-count 1',
    '--group-add nope',
    '-it',
    '-t -a stdin',
    '--ulimit nofile=9999999999',
  ].map((flags) => `run ${/--name/.test(flags) ? '' : '--name {new} '}${flags} busybox true`),
  ...[
    'nope',
    '--pull never nope',
    'UPPER',
    'a//b',
    'busybox:bad:tag',
    'busybox@sha256:x',
    '""',
    'nope.example:99999/x',
    '-q nope',
    '--pull always -q localhost:1/x',
  ].map((image) => `create --name {new} ${image}`),
  ...['--pull never nope', 'UPPER', 'a//b', '""'].map((image) => `run --name {new} ${image}`),
  ...[
    'nope-command',
    '/etc',
    '/etc/passwd',
    './nope',
    '""',
    '/no/such/file',
    'sh -c "exit 5"',
    'sh -c "exit 255"',
    'sh -c "kill -9 \\$\\$"',
    'sh -c "echo out; echo err >&2"',
    'cat /nope',
  ].flatMap((command) => [`run --name {new} busybox ${command}`, `run --rm --name {new} busybox ${command}`]),
  'run -d --name {new} busybox nope-command',
  'run -d --name {new} busybox sh',
  'run --rm -d --name {new} busybox true',
  'run --entrypoint nope --name {new} busybox',
  'run --entrypoint "" --name {new} busybox',
  'run --rm -w /etc/passwd --name {new} busybox pwd',
  'run --rm -v /etc/passwd:/etc --name {new} busybox true',
  'run --rm -u nope --name {new} busybox true',
  ...[
    '-m 1k',
    '-m x',
    '--restart nope',
    '--restart on-failure:x',
    '--cpus 1000',
    '--cpus x',
    '--blkio-weight 5',
    '--pids-limit x',
    '',
    '--memory-swap 1m',
    '--cpuset-cpus 99',
    '-c x',
    '--kernel-memory x',
    '--cpu-quota 1',
    '--cpu-period 1',
    '--memory-reservation x',
    '-m 64m --memory-swap 32m',
    '--cpu-rt-runtime x',
  ].map((flags) => `update ${flags} {running}`),
  { line: 'start {new}', before: ['create --name {new} busybox nope-command'] },
  { line: 'start -a {new}', before: ['create --name {new} busybox nope-command'] },
  { line: 'start {new} nothing', before: ['create --name {new} busybox true'] },
  { line: 'start -a {new} {stopped}', before: ['create --name {new} busybox true'] },
  { line: 'start -a {new}', before: ['create --name {new} busybox sh -c "echo out; echo err >&2; exit 6"'] },
  { line: 'start -ai {new}', before: ['create -i --name {new} busybox cat'], stdin: 'in\n' },
  { line: 'start -i {new}', before: ['create -i --name {new} busybox cat'], stdin: 'in\n' },
  { line: 'start --detach-keys x -a {new}', before: ['create --name {new} busybox true'] },
  { line: 'start --checkpoint c {new}', before: ['create --name {new} busybox true'] },
  {
    line: 'start --checkpoint c --checkpoint-dir d {new} {running}',
    before: ['create --name {new} busybox true'],
  },
];
