import { Attributes, splitReplies } from '../netlink/message.ts';
import { netfilterHeader } from './netfilter.ts';

/** linux/netfilter/nf_tables.h: the subsystem, and the message that ends each transaction. */
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWGEN = 15;
/** In every message about a table or something in it, the first attribute is the table's name. */
const NFTA_TABLE = 1;

const FAMILIES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
};

/** Reads what nftables tells about changes: which tables each transaction has touched. */
export class RulesLog {
  #tables = new Set<string>();

  /** The transactions that end in this datagram, each as tables in nft's notation (`inet filter`). */
  read(datagram: Uint8Array): ReadonlySet<string>[] {
    const ended: ReadonlySet<string>[] = [];
    for (const { type, payload } of splitReplies(datagram)) {
      if (type >> 8 !== NFNL_SUBSYS_NFTABLES) continue;
      if ((type & 0xff) === NFT_MSG_NEWGEN) {
        ended.push(this.#tables);
        this.#tables = new Set();
      } else this.#note(payload);
    }
    return ended;
  }

  #note(payload: Uint8Array): void {
    const table = new Attributes(payload.subarray(netfilterHeader(0).length)).string(NFTA_TABLE);
    const family = FAMILIES[payload[0] ?? 0];
    if (table !== undefined && family !== undefined) this.#tables.add(`${family} ${table}`);
  }
}
