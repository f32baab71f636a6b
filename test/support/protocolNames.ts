import type { AnyRpc } from '../../src/gen/rpcs.js';

/** The name that the docs give an RPC: `messages.SendMessage`. */
export const protocolName = ({ request }: AnyRpc): string => request.typeName.replace('osmium.client.', '');
