import type { BotObjection, BotToken, ListedBot } from '../bots.js';
import { done, refused, type VerbOutcome } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';

const noServer = 'no server runs on this data folder, and a bot is made by a running one';

const json = { kind: 'flag', says: 'one JSON object on one line' } as const;
const user = { kind: 'text', placeholder: 'user', unitsMax: 64 } as const;
const bot = { ...user, placeholder: 'bot', says: 'the id of the bot', required: true, isOperand: true } as const;

type Answer<T> = T | BotObjection;

const isObjection = <T extends object>(answer: Answer<T>): answer is BotObjection => 'objection' in answer;

const answered = <T extends object>(answer: Answer<T>, shown: (answer: T) => string): VerbOutcome =>
  isObjection(answer) ? refused('BAD_ARGUMENTS', answer.objection) : done(shown(answer));

const tokenLines = ({ id, token }: BotToken): string => `id     ${id}\ntoken  ${token}\n`;
const jsonLine = (value: object): string => `${JSON.stringify(value)}\n`;

export const botCreate = declareVerb({
  name: 'bot create',
  access: 'write',
  says: 'Make a bot, and print its id and its token. The token is shown this once.',
  arguments: {
    name: {
      kind: 'text',
      placeholder: 'name',
      unitsMax: 256,
      says: 'as others see it',
      required: true,
      isOperand: true,
    },
    owner: { ...user, says: 'whose bot it is, by id or username', required: true },
    json,
  },
  folders: 'option',
  running: async ({ bots }, { name, owner, json: asJson }) =>
    answered(await bots.create({ name, owner }), asJson ? jsonLine : tokenLines),
  stopped: noServer,
});

export const botList = declareVerb({
  name: 'bot list',
  access: 'read',
  says: 'List bots with their owners, at most 1,000.',
  arguments: { owner: { ...user, says: 'only those of this user, by id or username' }, json },
  folders: 'option',
  running: async ({ bots }, { owner, json: asJson }) => {
    const found = await bots.list(owner);
    return answered(found, (listed) => (asJson ? jsonLine({ bots: listed }) : listed.map(botLine).join('')));
  },
  stopped: noServer,
});

const botLine = ({ id, owner, name }: ListedBot): string => `${id}  owner ${owner}  ${name}\n`;

export const botToken = declareVerb({
  name: 'bot token',
  access: 'write',
  says: 'Give a bot another token, and print it this once. The one before is worth nothing from then on.',
  arguments: { bot, json },
  folders: 'option',
  running: async ({ bots }, { bot: id, json: asJson }) =>
    answered(await bots.token(id), asJson ? jsonLine : tokenLines),
  stopped: noServer,
});

export const botDelete = declareVerb({
  name: 'bot delete',
  access: 'write',
  says: 'Delete a bot: its sessions end, and it never gets another one. What it wrote stays.',
  arguments: { bot },
  folders: 'option',
  running: async ({ bots }, { bot: id }) =>
    answered((await bots.drop(id)) ?? { id }, (gone) => `the bot ${gone.id} is gone\n`),
  stopped: noServer,
});
