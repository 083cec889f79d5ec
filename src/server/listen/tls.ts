import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Logger } from '#base';

/** What a TLS listener shows to clients and asks of them, as PEM text. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Authorities one of which must have signed a client's certificate. Undefined: clients need none. */
  readonly clientCa: string | undefined;
}

/** Version that dockerd asks for at least. */
const MIN_VERSION = 'TLSv1.2';

/** The certificates of all TLS listeners: replaced at run time, new connections get the new ones. */
export class TlsIdentity {
  #context: SecureContext;
  #clientCa: string | undefined;
  readonly #open = new Set<TLSSocket>();

  /** @throws the library's error for material that does not belong together. */
  constructor(material: TlsMaterial) {
    this.#context = createContext(material);
    this.#clientCa = material.clientCa;
  }

  /** Whether a connection proves that its client may use the API. */
  get verifiesClients(): boolean {
    return this.#clientCa !== undefined;
  }

  /**
   * Open connections keep what they were made with, unless other authorities vouch for clients from now on: then they are
   * closed, for who came in may have been shut out. @throws as the constructor; then nothing changes.
   */
  replace(material: TlsMaterial): void {
    this.#context = createContext(material);
    if (material.clientCa === this.#clientCa) return;
    this.#clientCa = material.clientCa;
    for (const socket of this.#open) socket.destroy();
  }

  /** The server's end of TLS on an accepted connection. */
  wrap(socket: Socket): TLSSocket {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      requestCert: this.verifiesClients,
      rejectUnauthorized: this.verifiesClients,
      allowHalfOpen: true,
    } as ConstructorParameters<typeof TLSSocket>[1]);
    this.#open.add(secure);
    secure.once('close', () => this.#open.delete(secure));
    return secure;
  }
}

const createContext = ({ cert, key, clientCa }: TlsMaterial): SecureContext =>
  createSecureContext({
    cert,
    key,
    minVersion: MIN_VERSION,
    ...(clientCa !== undefined && { ca: clientCa }),
  });

export interface TlsGateOptions {
  readonly identity: TlsIdentity;
  readonly logger: Logger;
  /** Gets every connection whose handshake is done and whose client is known. */
  readonly accept: (socket: Socket) => void;
  /** Time for a handshake. Default 10 s. */
  readonly handshakeMs?: number;
  /** Handshakes at the same time; one more ends the oldest. Default 256. */
  readonly maxHandshakes?: number;
}

/** How a request begins that was meant for plain HTTP. The methods are those that Go's server looks for. */
const PLAIN_REQUEST = /^(?:GET |HEAD |POST |PUT |DELETE |OPTIONS )/;
const PLAIN_ANSWER =
  'HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/**
 * Stands between a listener and the API: lets a connection through once its handshake is done. Strangers cost one socket and one
 * timer each, and no more than `maxHandshakes` of them: the oldest goes, since an honest handshake takes milliseconds.
 */
export class TlsGate {
  readonly #identity: TlsIdentity;
  readonly #logger: Logger;
  readonly #accept: (socket: Socket) => void;
  readonly #handshakeMs: number;
  readonly #maxHandshakes: number;
  /** In the order of their coming. */
  readonly #waiting = new Set<Handshake>();

  constructor({ identity, logger, accept, handshakeMs = 10_000, maxHandshakes = 256 }: TlsGateOptions) {
    this.#identity = identity;
    this.#logger = logger;
    this.#accept = accept;
    this.#handshakeMs = handshakeMs;
    this.#maxHandshakes = maxHandshakes;
  }

  /** Takes a connection as it was accepted. */
  admit(socket: Socket): void {
    const [oldest] = this.#waiting;
    if (oldest && this.#waiting.size >= this.#maxHandshakes) this.#fail(oldest, 'too many handshakes');
    const handshake: Handshake = {
      client: `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`,
      socket,
      timer: setTimeout(() => this.#fail(handshake, 'handshake timed out'), this.#handshakeMs),
    };
    this.#waiting.add(handshake);
    socket.on('error', (error) => this.#fail(handshake, error));
    socket.once('close', () => this.#settle(handshake));
    // Nothing more comes: there will be no handshake.
    socket.once('end', () => this.#fail(handshake, 'closed before the handshake'));
    socket.once('data', (first: Buffer) => this.#begin(handshake, first));
  }

  /** Ends every handshake that is under way. */
  close(): void {
    for (const handshake of [...this.#waiting]) this.#fail(handshake, 'the listener is closed');
  }

  #begin(handshake: Handshake, first: Buffer): void {
    const { socket } = handshake;
    if (PLAIN_REQUEST.test(first.toString('latin1', 0, 8))) {
      this.#settle(handshake);
      socket.resume().end(PLAIN_ANSWER, () => socket.destroySoon());
      return;
    }
    socket.pause();
    socket.unshift(first);
    const secure = this.#identity.wrap(socket);
    const { verifiesClients } = this.#identity;
    const onError = (error: Error): void => this.#fail(handshake, error);
    handshake.secure = secure;
    secure.on('error', onError);
    secure.once('secure', () => {
      if (!this.#settle(handshake)) return;
      // The library has refused such a client already; what lets somebody own the host is asked twice.
      if (verifiesClients && !secure.authorized) return void secure.destroy();
      this.#accept(secure);
      secure.off('error', onError);
    });
  }

  #fail(handshake: Handshake, reason: unknown): void {
    if (!this.#settle(handshake)) return;
    this.#logger.info('TLS handshake failed', { client: handshake.client, error: reason });
    handshake.secure?.destroy();
    handshake.socket.destroy();
  }

  /** False when it was settled before. */
  #settle(handshake: Handshake): boolean {
    clearTimeout(handshake.timer);
    return this.#waiting.delete(handshake);
  }
}

interface Handshake {
  readonly client: string;
  readonly socket: Socket;
  readonly timer: ReturnType<typeof setTimeout>;
  secure?: TLSSocket;
}
