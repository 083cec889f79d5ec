/** One call on the fake, in order. */
export interface FakeCall {
  /** `mounts.bind`, `netlink.createVeth`, `nftables.run` and so on. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** Network namespace of a netlink or nftables call; undefined is the host's. */
  readonly netns?: string;
}

/** Records calls and lets tests make the next one of a name fail. */
export class CallLog {
  readonly calls: FakeCall[] = [];
  readonly #failures = new Map<string, unknown[]>();

  /** The next call of `name` throws `error` instead of doing anything. Repeatable. */
  failNext(name: string, error: unknown): void {
    this.#failures.set(name, [...(this.#failures.get(name) ?? []), error]);
  }

  /** The calls of one name. */
  named(name: string): FakeCall[] {
    return this.calls.filter((call) => call.name === name);
  }

  /** `target` with every method call recorded as `room.method`. */
  record<T extends object>(room: string, target: T, netns?: string): T {
    return new Proxy(target, {
      get: (_, key) => {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (typeof key === 'string') this.#enter(`${room}.${key}`, args, netns);
          return Reflect.apply(member, target, args);
        };
      },
    });
  }

  #enter(name: string, args: readonly unknown[], netns: string | undefined): void {
    this.calls.push(netns === undefined ? { name, args } : { name, args, netns });
    const pending = this.#failures.get(name);
    if (pending !== undefined && pending.length > 0) throw pending.shift();
  }
}
