import { z } from 'zod';
import type { Network, Sandbox } from './types.ts';

/** A network with what only this room needs to know. */
export interface StoredNetwork extends Network {
  /** Made by us, so that we may remove it. A bridge of the user is never removed. */
  readonly ownsBridge: boolean;
  /** The bridge's own address, `172.17.0.1/16`; containers route through it unless `gateway` says otherwise. */
  readonly bridgeAddress: string | undefined;
  readonly mtu: number;
}

const ipamSchema = z.object({
  subnet: z.string(),
  gateway: z.string(),
  ipRange: z.string().optional(),
});

const networkSchema = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  driver: z.enum(['bridge', 'host', 'null']),
  created: z.string(),
  internal: z.boolean(),
  attachable: z.boolean(),
  enableIPv6: z.boolean(),
  ipam: z.array(ipamSchema),
  options: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  bridgeName: z.string().optional(),
  ownsBridge: z.boolean(),
  bridgeAddress: z.string().optional(),
  mtu: z.number().int().positive(),
});

const endpointSchema = z.object({
  id: z.string().min(1),
  networkId: z.string(),
  networkName: z.string(),
  interfaceName: z.string(),
  hostInterface: z.string(),
  macAddress: z.string(),
  ipv4Address: z.string(),
  ipv4PrefixLength: z.number().int(),
  gateway: z.string(),
  ipv6Address: z.string(),
  ipv6PrefixLength: z.number().int(),
  ipv6Gateway: z.string(),
});

const portSchema = z.object({
  containerPort: z.number().int(),
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  hostIp: z.string(),
  hostPort: z.number().int(),
});

const sandboxSchema = z.object({
  containerId: z.string().min(1),
  id: z.string().min(1),
  netnsPath: z.string().optional(),
  endpoints: z.array(endpointSchema),
  ports: z.array(portSchema),
});

/** Checks a stored network. @throws for anything else. */
export function decodeNetwork(stored: unknown): StoredNetwork {
  const { bridgeName, bridgeAddress, ipam, ...rest } = networkSchema.parse(stored);
  return {
    ...rest,
    bridgeName,
    bridgeAddress,
    ipam: ipam.map(({ ipRange, ...config }) => (ipRange === undefined ? config : { ...config, ipRange })),
  };
}

/** Checks a stored sandbox. @throws for anything else. */
export function decodeSandbox(stored: unknown): Sandbox {
  const { netnsPath, ...rest } = sandboxSchema.parse(stored);
  return { ...rest, netnsPath };
}
