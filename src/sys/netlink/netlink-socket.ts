import { O_CLOEXEC } from '../constants.ts';
import { ERRNO } from '../errno.ts';
import { SysError } from '../errors.ts';
import { allocate, check, errno, libc } from '../ffi.ts';
import type { Fd } from '../types.ts';
import { Attributes, type Reply, type RequestBuilder, splitReplies, viewOf } from './message.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
/** The error number and the header of our request, which NETLINK_CAP_ACK leaves of it. */
const ERROR_SIZE = 4 + 16;
const RECEIVE_SIZE = 65_536;
/** Replies are made while we send, so waiting at all means that something is broken. */
const RECEIVE_TIMEOUT_S = 10n;
const MAX_DUMP_ATTEMPTS = 10;

export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

/** A netlink socket of the network namespace in which it was made. Requests and replies are synchronous. */
export class NetlinkSocket implements Disposable {
  #fd: Fd;
  #sequence = 0;
  readonly #received = allocate(RECEIVE_SIZE);

  constructor(protocol: number) {
    this.#fd = check(
      libc().socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC, protocol),
      'socket',
      'family',
      'netlink',
    );
    try {
      this.#setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1n, 4);
      this.#setOption(SOL_NETLINK, NETLINK_CAP_ACK, 1n, 4);
      this.#setOption(SOL_SOCKET, SO_RCVTIMEO, RECEIVE_TIMEOUT_S, 16);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Sends a request and waits for its acknowledgement. `what` describes it in errors. */
  execute(request: RequestBuilder, what: string): void {
    this.#transact(request, what);
  }

  /** Sends a request and returns the messages of its answer: one, or those of a dump. */
  query(makeRequest: () => RequestBuilder, what: string): Reply[] {
    for (let attempt = 1; ; attempt++) {
      const { replies, interrupted } = this.#transact(makeRequest(), what);
      // The tables changed under a dump: it may lack entries that were there all the time.
      if (!interrupted) return replies;
      if (attempt === MAX_DUMP_ATTEMPTS) throw new SysError('EINTR', 'netlink', what);
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }

  #transact(request: RequestBuilder, what: string): { replies: Reply[]; interrupted: boolean } {
    const sequence = ++this.#sequence;
    const message = request.finish(sequence);
    check(libc().send(this.#fd, message, message.length, 0), 'send', 'request', what);
    const replies: Reply[] = [];
    let interrupted = false;
    for (;;) {
      for (const reply of splitReplies(this.#receive(what))) {
        // Left over from a request that failed half-way.
        if (reply.sequence !== sequence) continue;
        interrupted ||= (reply.flags & NLM_F_DUMP_INTR) !== 0;
        if (reply.type === NLMSG_ERROR || reply.type === NLMSG_DONE) {
          throwIfError(reply, what);
          return { replies, interrupted };
        }
        replies.push(reply);
      }
    }
  }

  /** A copy of the next datagram, because replies are kept while the next is received. */
  #receive(what: string): Uint8Array {
    for (;;) {
      const length = Number(libc().recv(this.#fd, this.#received.bytes, RECEIVE_SIZE, MSG_TRUNC));
      if (length < 0 && errno() === ERRNO.EINTR[0]) continue;
      check(length, 'recv', 'request', what);
      if (length > RECEIVE_SIZE) throw new SysError('EMSGSIZE', 'recv', what);
      return this.#received.bytes.slice(0, length);
    }
  }

  #setOption(level: number, option: number, value: bigint, size: number): void {
    const memory = allocate(16);
    memory.view.setBigInt64(0, value, true);
    check(libc().setsockopt(this.#fd, level, option, memory.bytes, size), 'setsockopt', 'option', option);
  }
}

function throwIfError({ type, flags, payload }: Reply, what: string): void {
  if (payload.length < 4) return;
  const code = viewOf(payload).getInt32(0, true);
  if (code >= 0) return;
  const extended = (flags & NLM_F_ACK_TLVS) !== 0;
  const attributes = extended
    ? new Attributes(payload.subarray(type === NLMSG_ERROR ? ERROR_SIZE : 4))
    : undefined;
  const explanation = attributes?.string(NLMSGERR_ATTR_MSG);
  throw new SysError(-code, 'netlink', explanation === undefined ? what : `${what}: ${explanation}`);
}
