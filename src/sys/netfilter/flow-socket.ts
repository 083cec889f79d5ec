import { SysError } from '../errors.ts';
import { formatAddress } from '../netlink/ip-address.ts';
import { Attributes, type Reply, RequestBuilder, viewOf } from '../netlink/message.ts';
import { NetlinkSocket, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from '../netlink/netlink-socket.ts';
import type { Flow, FlowSocket } from '../types.ts';
import { NETLINK_NETFILTER, netfilterHeader } from './netfilter.ts';

const AF_INET = 2;
const IPPROTO_UDP = 17;
/** linux/netfilter/nfnetlink_conntrack.h; the subsystem is 1. */
const IPCTNL_MSG_CT_GET = (1 << 8) | 1;
const IPCTNL_MSG_CT_DELETE = (1 << 8) | 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_FILTER = 25;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_F_PROTO_NUM = 1 << 3;
const CTA_FILTER_F_PROTO_DST_PORT = 1 << 5;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;

/** Opens ctnetlink in the calling thread's network namespace. */
export function openFlowSocket(): FlowSocket {
  return new KernelFlowSocket(new NetlinkSocket(NETLINK_NETFILTER));
}

class KernelFlowSocket implements FlowSocket {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  udpFlowsTo(port: number): Flow[] {
    const request = () =>
      new RequestBuilder(IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP)
        .raw(netfilterHeader(AF_INET))
        .nested(CTA_TUPLE_ORIG, (tuple) => addPort(tuple, port))
        // Linux 5.8 sends only what matches; older kernels send everything.
        .nested(CTA_FILTER, (filter) =>
          filter.u32(CTA_FILTER_ORIG_FLAGS, CTA_FILTER_F_PROTO_NUM | CTA_FILTER_F_PROTO_DST_PORT),
        );
    return this.#socket
      .query(request, `list flows to port ${port}`)
      .flatMap((reply) => decodeUdpFlow(reply) ?? [])
      .filter(({ destinationPort }) => destinationPort === port);
  }

  deleteFlow({ tuple, id }: Flow): boolean {
    const request = new RequestBuilder(IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK)
      .raw(netfilterHeader(AF_INET))
      .attribute(CTA_TUPLE_ORIG, tuple)
      .attribute(CTA_ID, id);
    try {
      this.#socket.execute(request, 'delete flow');
      return true;
    } catch (error) {
      if (error instanceof SysError && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

function addPort(tuple: RequestBuilder, port: number): void {
  tuple.nested(CTA_TUPLE_PROTO, (protocol) => {
    protocol.u8(CTA_PROTO_NUM, IPPROTO_UDP);
    protocol.attribute(CTA_PROTO_DST_PORT, Uint8Array.of(port >> 8, port));
  });
}

function decodeUdpFlow({ payload }: Reply): Flow | undefined {
  const attributes = new Attributes(payload.subarray(netfilterHeader(0).length));
  const tuple = attributes.bytes(CTA_TUPLE_ORIG);
  const id = attributes.bytes(CTA_ID);
  const sent = attributes.nested(CTA_TUPLE_ORIG);
  const reply = attributes.nested(CTA_TUPLE_REPLY);
  const protocol = sent?.nested(CTA_TUPLE_PROTO);
  const port = protocol?.bytes(CTA_PROTO_DST_PORT);
  const destination = sent?.nested(CTA_TUPLE_IP)?.bytes(CTA_IP_V4_DST);
  const receiver = reply?.nested(CTA_TUPLE_IP)?.bytes(CTA_IP_V4_SRC);
  if (!tuple || !id || !port || !destination || !receiver) return undefined;
  if (protocol?.bytes(CTA_PROTO_NUM)?.[0] !== IPPROTO_UDP) return undefined;
  return {
    destination: formatAddress(destination),
    destinationPort: viewOf(port).getUint16(0),
    receiver: formatAddress(receiver),
    tuple,
    id,
  };
}
