import { rpcPolicy } from '../../src/gateway/contract/rpcPolicy.js';
import { notBuilt } from '../../src/gateway/registry.js';
import { rpcTable, type AnyRpc } from '../../src/gen/rpcs.js';
import { costTable, pageWith, tableOf } from './limitTables.js';
import { protocolName } from './protocolNames.js';

/** The page docs/protocol.md with its tables made anew, in the form that Prettier gives them. */
export const protocolPage = async (page: string): Promise<string> => {
  const rows = Object.values(rpcTable).map((rpc: AnyRpc) => rowOf(rpc));
  const columns = ['no.', 'RPC', 'answer', 'built', 'session', 'order', 'limit', 'units', 'work', 'repeat'];
  return pageWith(page, 'docs/protocol.md', { rpcs: tableOf(columns, rows), costs: costTable() });
};

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const rowOf = (rpc: AnyRpc): readonly string[] => {
  const { session, order, limit, units, work, repeat } = rpcPolicy[rpc.name];
  const answer = rpc.result === undefined ? '()' : `\`${snakeCase(rpc.result)}\``;
  const built = (notBuilt as readonly string[]).includes(rpc.name) ? 'no' : 'yes';
  const price = [limit === 'none' ? '' : limit, units.toString(), work === 'long' ? 'long' : ''];
  return [rpc.number.toString(), protocolName(rpc), answer, built, session, order, ...price, repeat];
};
