/** Differences that are in many answers, with their reasons. */
export const EVERYWHERE: readonly { readonly lines: RegExp; readonly reason: string }[] = [
  {
    lines: /^status: 500 → 400$/,
    reason: 'docker answers 400 itself since 23.0: the request is wrong, not the engine',
  },
  {
    lines: /^type: "" → "application\/vnd\.docker\.raw-stream"$/,
    reason: 'docker says the type itself since 23.0',
  },
  {
    lines: /\.Networks\.\w+(\.(DNSNames|GwPriority): | in order: )/,
    reason: 'newer dockers answer older versions with fields that they do not know, in an order of their own',
  },
  {
    lines: /\.Networks\.\w+\.NetworkID: "" → /,
    reason: 'the network of a container that does not run is known: why hide it',
  },
  {
    lines:
      /^body\.HostConfig\.(PortBindings: null → \{\}|(Dns|DnsOptions|DnsSearch|BlkioWeightDevice|Devices): null → \[\])$/,
    reason:
      'the form that clients send (empty) and the one without the field are not told apart; clients send it',
  },
  {
    lines: /\.KernelMemory(TCP)?: .* → nothing$/,
    reason: 'kernel memory limits are gone from kernels and from docker',
  },
  {
    lines: /^body\.HostConfig\.ConsoleSize: nothing|^body\.HostConfig in order: /,
    reason: 'the order of newer dockers: ConsoleSize stands after VolumesFrom',
  },
  { lines: /^body\.Config\.OnBuild: null → nothing$/, reason: 'left out when empty by newer dockers' },
  {
    lines: /Mounts\[\d+\]\.Propagation: "rslave" → "rprivate"$/,
    reason: 'docker makes binds of a directory above its own root slaves; see the list of what is open',
  },
  {
    lines: /Mounts\[\d+\]\.Source: "" → "<root>/,
    reason: "a list tells a volume's directory as inspect does",
  },
  {
    lines: /^body\.Error: null → nothing$/,
    reason: 'left out by newer dockers',
  },
  {
    lines: /^body\.NetworkSettings\.Sandbox(ID|Key): "<fact>" → ""$/,
    reason: 'the sandbox is gone when the container has ended, and newer dockers say so',
  },
  {
    lines:
      /"failed to create shim task: .* → "failed to create task for container: failed to create shim task: /,
    reason: 'the words of newer dockers',
  },
  {
    lines: /\.Attributes\.gantry\.start\.\w+: nothing → /,
    reason: 'our own: how long the phases of the start took',
  },
  {
    lines: /\.Attributes\.execDuration: nothing → "<while>"$/,
    reason: 'how long it ran, as newer dockers tell',
  },
  {
    lines: /\.Attributes\.path: nothing → /,
    reason: 'our own: what was copied',
  },
  {
    lines: /^body\.Runtimes\./,
    reason: 'which runtimes there are is a matter of the machine',
  },
];
