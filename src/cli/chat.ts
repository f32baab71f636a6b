import { readFile, writeFile } from 'node:fs/promises';
import { connect, type Client } from '../client/client.js';
import { pause } from '../kernel/timing.js';
import { RequestRefused } from '../client/errors.js';
import { nodeSocket } from '../client/nodeSocket.js';
import type { User } from '../gen/types.js';
import { Conversation } from './conversation.js';
import { patientCall } from './patientCall.js';
import { PlainError } from './plainError.js';
import { printable } from './printable.js';
import { terminal, type TerminalNeeds } from './terminal.js';

export type ChatOptions = Pick<TerminalNeeds, 'input' | 'output'> & {
  readonly url: string;
  /** Display name for a new account. */
  readonly name: string;
  /** Where the token is kept between runs; without it every run is a new guest. */
  readonly tokenFile?: string;
};

/** A terminal chat. Resolves when the input ends, `/quit` is typed or the session is revoked. */
export const chat = async (options: ChatOptions): Promise<void> => {
  let conversation: Conversation | undefined;
  let client: Client | undefined;
  const leave = (): void => {
    screen.close();
    void client?.close();
  };
  const screen = terminal({ ...options, onInterrupt: leave });
  try {
    client = await connect({
      url: options.url,
      openSocket: nodeSocket,
      deviceType: 'terminal',
      appVersion: 'osmium chat',
      onConnected: () => void conversation?.connectedAgain(),
      onDisconnected: () => screen.say('* the connection is lost, coming back …'),
      onRefused: () => {
        screen.say('! this session has been revoked');
        leave();
      },
    });
    const me = await enter(client, options);
    screen.say(`* you are ${printable(me.name)}, id ${me.id.toString()}; /help lists the commands`);
    const call = patientCall(client.call, {
      say: (line) => {
        screen.say(line);
      },
      pause: (millis) => pause(millis, new AbortController().signal),
    });
    conversation = new Conversation({ client: { call, updates: client.updates }, me, screen });
    await conversation.run();
  } finally {
    screen.close();
    await client?.close();
  }
};

const enter = async (client: Client, { name, tokenFile }: ChatOptions): Promise<User> => {
  const kept = tokenFile === undefined ? undefined : await textIn(tokenFile);
  const authorized = kept === undefined ? await client.signUp({ name }) : await resume(client, kept, tokenFile ?? '');
  if (tokenFile !== undefined && kept === undefined) await writeFile(tokenFile, authorized.token, { mode: 0o600 });
  if (authorized.user === undefined) throw new PlainError('the server did not say who we are');
  return authorized.user;
};

const resume = async (client: Client, token: string, file: string) => {
  try {
    return await client.authorize(token);
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    throw new PlainError(`the token in ${file} is refused; without that file a new guest is made`, { cause: error });
  }
};

/** Nothing when there is no such file, or nothing in it. */
const textIn = async (file: string): Promise<string | undefined> => {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};
