import { format, resolveConfig } from 'prettier';
import { costs } from '../../src/gateway/contract/meter.js';
import { rpcPolicy } from '../../src/gateway/contract/rpcPolicy.js';
import { budgetTable, type Budget } from '../../src/gateway/requests/budgets.js';
import { limitTable } from '../../src/gateway/requests/rateLimits.js';
import { signInLimits } from '../../src/gateway/requests/signInGuard.js';
import { rpcTable, type AnyRpc } from '../../src/gen/rpcs.js';
import { protocolName } from './protocolNames.js';

/** The page docs/operating.md with its tables of limits on requests made anew. */
export const operatingPage = async (page: string): Promise<string> => {
  const columns = ['name', 'counted per', 'where', 'at once', 'then per second', 'of', 'for'];
  return pageWith(page, 'docs/operating.md', {
    limits: tableOf(columns, [...budgetRows(), ...limitRows(), ...signInRows()]),
  });
};

/** What each piece of work costs, for docs/protocol.md. */
export const costTable = (): string =>
  tableOf(
    ['work', 'units'],
    Object.entries(costs).map(([name, units]) => [costNames[name as keyof typeof costs], units.toString()]),
  );

const costNames: Readonly<Record<keyof typeof costs, string>> = {
  document: 'a document that is read, or looked for in vain',
  kibibyteRead: '1 KiB of documents that are read, and once more where it has to be opened',
  partListed: 'a stored part of an upload, looked up to make a file of it',
  postingList: 'a list of the search, or a block of one, that was looked up',
  termIndexed: 'a term by which a message is to be found, beyond the first 64',
  thousandPostings: 'a thousand steps through the posting lists of the search',
  thousandCounted: '1,000 index entries that are counted',
  hundredChannels: '100 channels that are looked at for whether the user sees them',
  hundredChannelsChanged: '100 channels of the community that a command changes',
  kibibyteAsked: '1 KiB of the request',
  kibibyteBeyond: '1 KiB of a request beyond its first 128, besides, where it is no part of a file',
  kibibyteFramed: '1 KiB around requests: frames, fragments, pings and heartbeats',
  linkParsed: 'a link of a message, parsed and stored',
  linkSigned: 'a link to a file that is signed',
  kibibyteOpened: '1 KiB of a file that is read and opened',
  picture: 'a picture of which another one is made',
  scan: 'a file that the scanner judges',
  pictureTooCostly: 'a picture that took too much time or memory to read, besides',
  kibibyteEncoded: '1 KiB of a list of the answer that is encoded',
  kibibyteAnswered: '1 KiB of the answer',
  linkFollowed: 'a page of a link that is attached, fetched or looked for in memory',
  event: 'an event that is written',
  hundredDeliveries: '100 deliveries of an update',
};

/** The page with what is between the marks of each name replaced, in the form that Prettier gives it. */
export const pageWith = async (
  page: string,
  path: string,
  parts: Readonly<Record<string, string>>,
): Promise<string> => {
  const made = Object.entries(parts).reduce(
    (text, [name, part]) => text.replace(new RegExp(`(?<=<!-- ${name} -->\n)[^]*(?=<!-- /${name} -->)`), `\n${part}\n`),
    page,
  );
  return format(made, { ...(await resolveConfig(path)), parser: 'markdown' });
};

export const tableOf = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  [columns, columns.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');

const budgetRows = (): readonly (readonly string[])[] =>
  Object.entries(budgetTable as Readonly<Record<string, Budget>>).map(([name, { per, of, burst, perSecond }]) => {
    const row = [
      name,
      per === 'address' ? 'address without a session' : per,
      'node',
      count(burst),
      count(perSecond),
      of,
    ];
    return [...row, of === 'units' ? 'everything' : (scopes[name] ?? rpcsOf(name))];
  });

/** Of budgets that are no limit in the policy of an RPC. */
const scopes: Readonly<Record<string, string>> = { botMessages: 'the same for a bot, in the place of `messages`' };

const limitRows = (): readonly (readonly string[])[] =>
  Object.entries(limitTable).map(
    ([
      limit,
      {
        per,
        allowance: { name, burst, perSecond },
      },
    ]) => [
      ...[name, per === 'caller' ? 'session, or address without one' : per, 'all nodes', count(burst)],
      ...[perSecondOf(perSecond), 'requests', rpcsOf(limit)],
    ],
  );

const signInRows = (): readonly (readonly string[])[] =>
  Object.entries(signInLimits).map(([limit, { per, allowance }]) => [
    ...[allowance.name, per, 'all nodes', count(allowance.burst), perSecondOf(allowance.perSecond), 'tries'],
    triedBy[limit as keyof typeof signInLimits],
  ]);

const triedBy: Readonly<Record<keyof typeof signInLimits, string>> = {
  network: 'passwords and second factors for all accounts',
  account: 'passwords and second factors from all networks: a hundred an hour',
  get pair() {
    return rpcsOf('signIn');
  },
  known: 'the same where the account signed in before',
  get signUp() {
    return rpcsOf('signUp');
  },
  invalidSignUp: 'sign-ups that are not in order',
};

const perSecondOf = (perSecond: number): string => (perSecond < 1 ? `1/${count(1 / perSecond)}` : count(perSecond));

const rpcsOf = (limit: string): string =>
  (Object.values(rpcTable) as readonly AnyRpc[])
    .filter(({ name }) => rpcPolicy[name].limit === limit)
    .map(protocolName)
    .join(', ');

const count = (number: number): string => Math.round(number).toLocaleString('en');
