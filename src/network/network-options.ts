import type { Network } from './types.ts';

const PREFIX = 'com.docker.network';

/** What the options of a bridge network say, under docker's keys: tools read `com.docker.network.bridge.name`. */
export interface BridgeNetworkOptions {
  readonly bridge: string;
  readonly mtu: number;
  readonly masquerade: boolean;
  readonly interContainer: boolean;
  readonly hostIp: string;
}

/** The options of the default bridge as dockerd shows them. */
export const defaultBridgeOptions = (options: BridgeNetworkOptions): Record<string, string> => ({
  [`${PREFIX}.bridge.default_bridge`]: 'true',
  [`${PREFIX}.bridge.enable_icc`]: String(options.interContainer),
  [`${PREFIX}.bridge.enable_ip_masquerade`]: String(options.masquerade),
  [`${PREFIX}.bridge.host_binding_ipv4`]: options.hostIp,
  [`${PREFIX}.bridge.name`]: options.bridge,
  [`${PREFIX}.driver.mtu`]: String(options.mtu),
});

export const isMasquerading = ({ options }: Pick<Network, 'options'>): boolean =>
  options[`${PREFIX}.bridge.enable_ip_masquerade`] !== 'false';

/** Whether its containers reach each other. */
export const isInterContainer = ({ options }: Pick<Network, 'options'>): boolean =>
  options[`${PREFIX}.bridge.enable_icc`] !== 'false';
