import { O_CLOEXEC } from '../constants.ts';
import { ERRNO } from '../errno.ts';
import { allocate, check, errno, libc } from '../ffi.ts';
import type { Fd, RulesChanges, RulesMonitor } from '../types.ts';
import { NETLINK_NETFILTER } from './netfilter.ts';
import { RulesLog } from './rules-log.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NFNLGRP_NFTABLES = 7;
const ADDRESS_SIZE = 12;
/** Room for what rewriting a table of 20,000 elements tells; taken only while it is needed. */
const QUEUE_BYTES = 8 * 1024 * 1024;
const RECEIVE_SIZE = 65_536;

/** Opens the monitor in the calling thread's network namespace. */
export function openRulesMonitor(): RulesMonitor {
  const fd = check(
    libc().socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER),
    'socket',
    'family',
    'netlink',
  );
  try {
    const address = allocate(ADDRESS_SIZE);
    address.view.setUint16(0, AF_NETLINK, true);
    check(libc().bind(fd, address.bytes, ADDRESS_SIZE), 'bind', 'group', NFNLGRP_NFTABLES);
    setOption(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES);
    setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return new KernelRulesMonitor(fd);
}

function setOption(fd: Fd, level: number, option: number, value: number): void {
  const memory = allocate(4);
  memory.view.setInt32(0, value, true);
  check(libc().setsockopt(fd, level, option, memory.bytes, 4), 'setsockopt', 'option', option);
}

class KernelRulesMonitor implements RulesMonitor {
  readonly fd: Fd;
  readonly #log = new RulesLog();
  readonly #received = allocate(RECEIVE_SIZE);

  constructor(fd: Fd) {
    this.fd = fd;
  }

  read(): RulesChanges {
    const transactions: ReadonlySet<string>[] = [];
    let isComplete = true;
    for (;;) {
      const length = Number(libc().recv(this.fd, this.#received.bytes, RECEIVE_SIZE, 0));
      if (length >= 0) {
        transactions.push(...this.#log.read(this.#received.bytes.subarray(0, length)));
        continue;
      }
      const reason = errno();
      if (reason === ERRNO.EAGAIN[0]) return { transactions, isComplete };
      if (reason === ERRNO.EINTR[0]) continue;
      // More came than the queue holds: what was lost is unknown, reading goes on.
      if (reason === ERRNO.ENOBUFS[0]) isComplete = false;
      else check(length, 'recv', 'group', NFNLGRP_NFTABLES);
    }
  }

  decode(datagram: Uint8Array): RulesChanges {
    return { transactions: this.#log.read(datagram), isComplete: true };
  }

  [Symbol.dispose](): void {
    libc().close(this.fd);
  }
}
