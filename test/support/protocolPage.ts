import { format, resolveConfig } from 'prettier';
import { rpcPolicy } from '../../src/gateway/contract/rpcPolicy.js';
import { notBuilt } from '../../src/gateway/registry.js';
import { rpcTable, type AnyRpc } from '../../src/gen/rpcs.js';
import { protocolName } from './protocolNames.js';

const tableOfRpcs = /(?<=<!-- rpcs -->\n)[^]*(?=<!-- \/rpcs -->)/;

/** The page docs/protocol.md with its table made anew, in the form that Prettier gives it. */
export const protocolPage = async (page: string): Promise<string> => {
  const rows = Object.values(rpcTable).map((rpc: AnyRpc) => rowOf(rpc));
  const columns = ['no.', 'RPC', 'answer', 'built', 'session', 'order', 'limit', 'repeat'];
  const table = [columns, columns.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const options = await resolveConfig('docs/protocol.md');
  return format(page.replace(tableOfRpcs, `\n${table}\n`), { ...options, parser: 'markdown' });
};

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const rowOf = (rpc: AnyRpc): readonly string[] => {
  const { session, order, limit, repeat } = rpcPolicy[rpc.name];
  const answer = rpc.result === undefined ? '()' : `\`${snakeCase(rpc.result)}\``;
  const built = (notBuilt as readonly string[]).includes(rpc.name) ? 'no' : 'yes';
  return [rpc.number.toString(), protocolName(rpc), answer, built, session, order, limit, repeat];
};
