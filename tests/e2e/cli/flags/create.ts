import type { CreateScenario } from './scenario.ts';

const on = (...files: string[]): string => `cat ${files.map((file) => `/sys/fs/cgroup/${file}`).join(' ')}`;
const ONLY_WINDOWS = /only supported on a Docker daemon running on windows/;
const DISK_LIMITS =
  'for i in read_bps write_bps read_iops write_iops; do cut -d " " -f 2 /sys/fs/cgroup/blkio/blkio.throttle.${i}_device; done';

const PROCESS: readonly CreateScenario[] = [
  {
    flags: '-e A=1 --env "B=two words" --env-file {dir}/env',
    inspect: ['{{index .Config.Env 0}}', 'FROM_FILE=file value'],
    sees: ['echo $A,$B,$FROM_FILE', '1,two words,file value'],
  },
  { flags: '-w /var/work', inspect: ['{{.Config.WorkingDir}}', '/var/work'], sees: ['pwd', '/var/work'] },
  {
    flags: '--workdir /etc -u 12:34 --group-add 55',
    inspect: ['{{.Config.User}} {{json .HostConfig.GroupAdd}}', '12:34 ["55"]'],
    sees: ['pwd; id', '/etc\nuid=12 gid=34 groups=34,55'],
  },
  { flags: '--user 7', inspect: ['{{.Config.User}}', '7'], sees: ['id -u', '7'] },
  {
    flags: '--entrypoint /bin/busybox',
    inspect: ['{{json .Config.Entrypoint}}', '["/bin/busybox"]'],
    sees: ['echo in; id -u', 'in\n0'],
  },
  {
    flags: '--init',
    inspect: ['{{.HostConfig.Init}}', 'true'],
    sees: ['tr "\\0" " " < /proc/1/cmdline', /init/],
  },
  { flags: '-t', inspect: ['{{.Config.Tty}}', 'true'], sees: ['test -t 1 && echo terminal', 'terminal'] },
  { flags: '--tty', inspect: ['{{.Config.Tty}}', 'true'], sees: ['tty', '/dev/pts/0'] },
  { flags: '-i', inspect: ['{{.Config.OpenStdin}} {{.Config.StdinOnce}}', 'true true'] },
  {
    flags: '--interactive -a stdout',
    inspect: ['{{.Config.OpenStdin}} {{.Config.AttachStdout}} {{.Config.AttachStderr}}', 'true true false'],
  },
  {
    flags: '--attach stderr',
    inspect: ['{{.Config.AttachStdout}} {{.Config.AttachStderr}}', 'false true'],
    sees: ['echo not shown', ''],
  },
  {
    flags: '--stop-signal SIGUSR1 --stop-timeout 7',
    inspect: ['{{.Config.StopSignal}} {{.Config.StopTimeout}}', 'SIGUSR1 7'],
  },
  {
    flags: '--ulimit nofile=100:200 --ulimit core=0',
    inspect: ['{{len .HostConfig.Ulimits}}', '2'],
    sees: ['ulimit -n; ulimit -Hn; ulimit -c', '100\n200\n0'],
  },
  {
    flags: '--sysctl net.ipv4.ip_forward=0',
    inspect: ['{{index .HostConfig.Sysctls "net.ipv4.ip_forward"}}', '0'],
    sees: ['cat /proc/sys/net/ipv4/ip_forward', '0'],
  },
  {
    flags: '--oom-score-adj 300',
    inspect: ['{{.HostConfig.OomScoreAdj}}', '300'],
    sees: ['cat /proc/self/oom_score_adj', '300'],
  },
];

const LIMITS: readonly CreateScenario[] = [
  {
    flags: '-c 512 --cpu-period 50000 --cpu-quota 25000',
    inspect: [
      '{{.HostConfig.CpuShares}} {{.HostConfig.CpuPeriod}} {{.HostConfig.CpuQuota}}',
      '512 50000 25000',
    ],
    sees: [on('cpu/cpu.shares', 'cpu/cpu.cfs_period_us', 'cpu/cpu.cfs_quota_us'), '512\n50000\n25000'],
    needs: 'cgroup v1',
  },
  {
    flags: '--cpu-shares 100',
    inspect: ['{{.HostConfig.CpuShares}}', '100'],
    sees: [on('cpu/cpu.shares'), '100'],
    needs: 'cgroup v1',
  },
  {
    flags: '--cpus 0.5',
    inspect: ['{{.HostConfig.NanoCpus}}', '500000000'],
    sees: [on('cpu/cpu.cfs_quota_us'), '50000'],
    needs: 'cgroup v1',
  },
  {
    flags: '--cpuset-cpus 0 --cpuset-mems 0',
    inspect: ['{{.HostConfig.CpusetCpus}} {{.HostConfig.CpusetMems}}', '0 0'],
    sees: ['grep -E "_allowed_list" /proc/self/status | cut -f 2', '0\n0'],
  },
  {
    flags: '--cpu-rt-period 1000000',
    inspect: ['{{.HostConfig.CpuRealtimePeriod}}', '1000000'],
    sees: [on('cpu/cpu.rt_period_us'), '1000000'],
    needs: 'cgroup v1',
  },
  // What a group may have is what its parent has, and that is nothing unless the host's owner gave it some.
  { flags: '--cpu-rt-runtime 1000', refused: [125, /real.time|rt_runtime/i] },
  {
    flags: '-m 64m --memory-reservation 32m --memory-swap 128m --memory-swappiness 10',
    inspect: [
      '{{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemorySwappiness}}',
      '67108864 33554432 134217728 10',
    ],
    sees: [
      on(
        'memory/memory.limit_in_bytes',
        'memory/memory.soft_limit_in_bytes',
        'memory/memory.memsw.limit_in_bytes',
        'memory/memory.swappiness',
      ),
      '67108864\n33554432\n134217728\n10',
    ],
    needs: 'cgroup v1',
  },
  {
    flags: '--memory 32m --oom-kill-disable',
    inspect: ['{{.HostConfig.Memory}} {{.HostConfig.OomKillDisable}}', '33554432 true'],
    sees: ['head -1 /sys/fs/cgroup/memory/memory.oom_control', 'oom_kill_disable 1'],
    needs: 'cgroup v1',
  },
  {
    flags: '--kernel-memory 64m',
    inspect: ['{{.HostConfig.Memory}}', '0'],
    sees: ['echo ignored', 'ignored'],
  },
  {
    flags: '--pids-limit 50',
    inspect: ['{{.HostConfig.PidsLimit}}', '50'],
    sees: ['cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max', '50'],
  },
  {
    flags: '--shm-size 8m',
    inspect: ['{{.HostConfig.ShmSize}}', '8388608'],
    sees: ["df -k /dev/shm | tail -1 | awk '{print $2}'", '8192'],
  },
  {
    flags:
      '--device-read-bps {disk}:1mb --device-write-bps {disk}:2mb --device-read-iops {disk}:100 --device-write-iops {disk}:200',
    inspect: [
      '{{(index .HostConfig.BlkioDeviceReadBps 0).Rate}} {{(index .HostConfig.BlkioDeviceWriteIOps 0).Rate}}',
      '1048576 200',
    ],
    sees: [DISK_LIMITS, '1048576\n2097152\n100\n200'],
    needs: 'cgroup v1',
  },
  { flags: '--blkio-weight 300', inspect: ['{{.HostConfig.BlkioWeight}}', /^(300|0)$/] },
  { flags: '--blkio-weight-device {disk}:200', inspect: ['{{len .HostConfig.BlkioWeightDevice}}', /^[01]$/] },
  {
    flags: '--cgroup-parent /gantry-test/flags --cgroupns host',
    inspect: ['{{.HostConfig.CgroupParent}} {{.HostConfig.CgroupnsMode}}', '/gantry-test/flags host'],
    sees: ['grep memory: /proc/self/cgroup', /:\/gantry-test\/flags\//],
    needs: 'cgroup v1',
  },
  { flags: '--cpu-count 1', refused: [1, ONLY_WINDOWS] },
  { flags: '--cpu-percent 1', refused: [1, ONLY_WINDOWS] },
  { flags: '--io-maxbandwidth 1m', refused: [1, ONLY_WINDOWS] },
  { flags: '--io-maxiops 1', refused: [1, ONLY_WINDOWS] },
  {
    flags: '--isolation default',
    inspect: ['{{.HostConfig.Isolation}}', /^(default)?$/],
    sees: ['echo same', 'same'],
  },
  { flags: '--isolation hyperv', refused: [125, /invalid isolation/i] },
];

const DEVICES: readonly CreateScenario[] = [
  {
    flags: '--device /dev/null:/dev/other:r',
    inspect: ['{{(index .HostConfig.Devices 0).CgroupPermissions}}', 'r'],
    sees: ['stat -c %t:%T /dev/other', '1:3'],
  },
  {
    flags: "--device-cgroup-rule 'c 10:229 r'",
    inspect: ['{{index .HostConfig.DeviceCgroupRules 0}}', 'c 10:229 r'],
    sees: [
      'mknod /tmp/f c 10 229; sh -c ": < /tmp/f" 2>&1 | grep -c "not permitted"; sh -c ": > /tmp/f" 2>&1 | grep -c "not permitted"',
      '0\n1',
    ],
  },
  { flags: '--gpus all', refused: [125, /could not select device driver "" with capabilities: \[\[gpu\]\]/] },
  {
    flags: '--privileged',
    inspect: ['{{.HostConfig.Privileged}}', 'true'],
    sees: ['grep CapEff /proc/self/status | cut -f 2', /^(?!00000000a80425fb)[0-9a-f]{16}$/],
  },
];

const ISOLATION: readonly CreateScenario[] = [
  {
    flags: '--cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges',
    inspect: [
      '{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{json .HostConfig.SecurityOpt}}',
      /^\["(CAP_)?NET_BIND_SERVICE"\] \["ALL"\] \["no-new-privileges"\]$/,
    ],
    sees: ['grep -E "CapEff|NoNewPrivs" /proc/self/status | cut -f 2', '0000000000000400\n1'],
  },
  {
    flags: '--cgroupns private',
    inspect: ['{{.HostConfig.CgroupnsMode}}', 'private'],
    sees: ['grep -c :/$ /proc/self/cgroup', /^[1-9]/],
  },
  {
    flags: '--ipc container:{shared} --pid container:{shared}',
    inspect: ['{{.HostConfig.IpcMode}}', /^container:/],
    sees: ['cat /proc/1/cmdline', /sleep/],
  },
  { flags: '--uts host', inspect: ['{{.HostConfig.UTSMode}}', 'host'] },
  {
    flags: '--userns host',
    inspect: ['{{.HostConfig.UsernsMode}}', 'host'],
    sees: ['cat /proc/self/uid_map | tr -s " "', '0 0 4294967295'],
  },
  { flags: '--runtime runc', inspect: ['{{.HostConfig.Runtime}}', 'runc'], sees: ['echo run', 'run'] },
];

const NETWORK: readonly CreateScenario[] = [
  {
    flags: '-h box --domainname example.org',
    inspect: ['{{.Config.Hostname}} {{.Config.Domainname}}', 'box example.org'],
    sees: ['hostname -f', 'box.example.org'],
  },
  { flags: '--hostname other', inspect: ['{{.Config.Hostname}}', 'other'], sees: ['hostname', 'other'] },
  {
    flags: '--add-host other.test:192.0.2.7',
    inspect: ['{{json .HostConfig.ExtraHosts}}', '["other.test:192.0.2.7"]'],
    sees: ['grep other.test /etc/hosts | tr "\\t" " "', '192.0.2.7 other.test'],
  },
  {
    flags: '--dns 192.0.2.53 --dns-option ndots:3 --dns-opt timeout:2 --dns-search search.test',
    inspect: [
      '{{json .HostConfig.Dns}} {{json .HostConfig.DnsOptions}} {{json .HostConfig.DnsSearch}}',
      '["192.0.2.53"] ["ndots:3","timeout:2"] ["search.test"]',
    ],
    sees: ['cat /etc/resolv.conf', 'search search.test\nnameserver 192.0.2.53\noptions ndots:3 timeout:2'],
  },
  {
    flags: '--network none',
    inspect: ['{{.HostConfig.NetworkMode}}', 'none'],
    sees: ['ls /sys/class/net', 'lo'],
  },
  {
    flags: '--net none',
    inspect: ['{{.HostConfig.NetworkMode}}', 'none'],
    sees: ['ls /sys/class/net', 'lo'],
  },
  {
    flags: '--mac-address 02:11:22:33:44:55',
    sees: ['cat /sys/class/net/eth0/address', '02:11:22:33:44:55'],
  },
  {
    flags: '-p 127.0.0.1::80',
    inspect: ['{{json .HostConfig.PortBindings}}', '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":""}]}'],
  },
  {
    flags: '--publish 127.0.0.1::53/udp --expose 7000-7001',
    inspect: ['{{range $port, $_ := .Config.ExposedPorts}}{{$port}} {{end}}', '53/udp 7000/tcp 7001/tcp'],
  },
  { flags: '-P', inspect: ['{{.HostConfig.PublishAllPorts}}', 'true'] },
  { flags: '--publish-all', inspect: ['{{.HostConfig.PublishAllPorts}}', 'true'] },
  {
    flags: '--ip 10.1.2.3',
    refused: [125, /user specified IP address is supported on user defined networks only/],
    since: 'modern',
  },
  {
    flags: '--ip6 fd00::1',
    refused: [125, /user specified IP address is supported on user defined networks only/],
    since: 'modern',
  },
  {
    flags: '--network-alias x',
    refused: [125, /network-scoped alias.* user.defined networks/],
    since: 'modern',
  },
  { flags: '--net-alias x', refused: [125, /network-scoped alias.* user.defined networks/], since: 'modern' },
  { flags: '--link {shared}:friend', inspect: ['{{json .HostConfig.Links}}', /friend"\]$/] },
  {
    flags: '--link-local-ip 169.254.1.2',
    inspect: ['{{.HostConfig.NetworkMode}}', /^(default|bridge)$/],
    since: 'modern',
  },
];

const STORAGE: readonly CreateScenario[] = [
  {
    flags: '-v {dir}:/bind:ro --volume /anonymous',
    inspect: ['{{json .HostConfig.Binds}} {{len .Mounts}}', /:\/bind:ro"\] 2$/],
    sees: [
      'cat /bind/file; touch /bind/x 2>&1 | grep -c Read-only; touch /anonymous/file && echo written',
      'from the host\n1\nwritten',
    ],
  },
  {
    flags:
      '--mount type=bind,source={dir},target=/mounted,readonly --mount type=tmpfs,destination=/scratch,tmpfs-size=2m',
    inspect: ['{{len .HostConfig.Mounts}}', '2'],
    sees: ["cat /mounted/file; df -k /scratch | tail -1 | awk '{print $2}'", 'from the host\n2048'],
  },
  {
    flags: '--tmpfs /small:size=1m,mode=1770 --read-only',
    inspect: [
      '{{json .HostConfig.Tmpfs}} {{.HostConfig.ReadonlyRootfs}}',
      '{"/small":"size=1m,mode=1770"} true',
    ],
    sees: ['stat -c %a /small; touch /x 2>&1 | grep -c Read-only', '1770\n1'],
  },
  {
    flags: '--volumes-from {shared}',
    inspect: ['{{json .HostConfig.VolumesFrom}}', /^\["t.*"\]$/],
    sees: ['cat /shared/file', 'shared'],
  },
  {
    flags: '--volume-driver local -v flags-named:/named',
    inspect: ['{{.HostConfig.VolumeDriver}} {{(index .Mounts 0).Driver}}', 'local local'],
    sees: ['test -d /named && echo there', 'there'],
  },
  { flags: '--storage-opt size=1G', refused: [125, /storage-opt|size|quota/i] },
];

const HEALTH: readonly CreateScenario[] = [
  {
    flags:
      '--health-cmd true --health-interval 5s --health-timeout 2s --health-retries 4 --health-start-period 1m',
    inspect: [
      '{{json .Config.Healthcheck}}',
      '{"Test":["CMD-SHELL","true"],"Interval":5000000000,"Timeout":2000000000,"StartPeriod":60000000000,"Retries":4}',
    ],
  },
  {
    flags: '--health-cmd true --health-start-interval 3s',
    inspect: ['{{json .Config.Healthcheck}}', /"StartInterval":3000000000/],
    since: 'modern',
  },
  { flags: '--no-healthcheck', inspect: ['{{json .Config.Healthcheck}}', '{"Test":["NONE"]}'] },
];

const REST: readonly CreateScenario[] = [
  {
    flags: '-l a=1 --label b --label-file {dir}/labels',
    inspect: ['{{json .Config.Labels}}', '{"a":"1","b":"","from.file":"1"}'],
  },
  {
    flags: '--log-driver json-file --log-opt max-size=1m --log-opt max-file=2',
    inspect: [
      '{{.HostConfig.LogConfig.Type}} {{json .HostConfig.LogConfig.Config}}',
      'json-file {"max-file":"2","max-size":"1m"}',
    ],
  },
  {
    flags: '--restart on-failure:3',
    inspect: [
      '{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}',
      'on-failure:3',
    ],
  },
  {
    flags: '--annotation test.key=value',
    inspect: ['{{json .HostConfig.Annotations}}', '{"test.key":"value"}'],
    since: 'modern',
  },
  { flags: '--platform linux/amd64', inspect: ['{{.Platform}}', 'linux'], since: 'modern' },
  {
    flags: '--pull never -q',
    inspect: ['{{.Config.Image}}', 'busybox'],
    sees: ['echo here', 'here'],
    since: 'modern',
  },
  { flags: '--pull missing', inspect: ['{{.Config.Image}}', 'busybox'] },
  { flags: '--quiet --pull always', refused: [125, /pull/i], since: 'modern' },
  { flags: '--disable-content-trust', inspect: ['{{.Config.Image}}', 'busybox'] },
];

/** Every flag that `create` and `run` share, except those that concern the client's side alone. */
export const CREATE_SCENARIOS: readonly CreateScenario[] = [
  ...PROCESS,
  ...LIMITS,
  ...DEVICES,
  ...ISOLATION,
  ...NETWORK,
  ...STORAGE,
  ...HEALTH,
  ...REST,
];
