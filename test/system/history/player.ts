import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Client } from '../../../src/client/client.js';
import { nodeSocket } from '../../../src/client/nodeSocket.js';
import type { Message } from '../../../src/gen/types.js';
import type { UserId } from '../../../src/kernel/ids.js';
import type { Thing, Version } from './history.js';
import { versionIn, type Recording, type Shown } from './recording.js';

/** What all players of a run have in common. */
export type Table = {
  readonly recording: Recording;
  /** Of the nodes that are up. */
  readonly urls: () => readonly string[];
};

/** One session, on one connection after the other. */
export class Player {
  readonly name: string;
  readonly table: Table;
  private client: Client | undefined;
  private left: () => void = () => undefined;
  private token: string | undefined;
  private connections = 0;
  private lastText: string | undefined;
  user = 0n as UserId;

  constructor(name: string, table: Table) {
    this.name = name;
    this.table = table;
  }

  get call(): Client['call'] {
    if (this.client === undefined) throw new Error(`${this.name} is not connected`);
    return this.client.call;
  }

  /** Whether the connection is there. */
  get isHere(): boolean {
    return this.client !== undefined;
  }

  /** Signs up, or comes back with the same session. Rejects when the node is not there. */
  async come(url: string): Promise<void> {
    const client: Client = await connect({
      url,
      openSocket: nodeSocket,
      answerMillis: answerMillisMax,
      onDisconnected: () => {
        // The library would come back to the same node.
        this.gone(client);
      },
    });
    const name = `${this.name}#${(this.connections += 1).toString()}`;
    this.listen(client, name);
    const { recording } = this.table;
    const begun = recording.moment();
    try {
      const { user, token } =
        this.token === undefined ? await client.signUp({ name: this.name }) : await client.authorize(this.token);
      this.user = user?.id ?? this.user;
      this.token = token;
    } catch (error) {
      void client.close();
      throw error;
    }
    this.left = recording.connected({ name, session: this.name, begun, ready: recording.moment() });
    this.client = client;
  }

  /** Until a node lets it in; the one that it was on may be dead. */
  async comeBack(): Promise<void> {
    for (let tries = 1; !this.isHere; tries += 1) {
      const urls = this.table.urls();
      try {
        await this.come(urls[tries % urls.length] ?? '');
      } catch (error) {
        if (tries === triesMax) throw error;
        await pause(backMillis);
      }
    }
  }

  /** Whether its connection was told of this text, as the last message that it heard of. */
  heard(text: string): boolean {
    return this.lastText === text;
  }

  async leave(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.close();
  }

  private gone(client: Client): void {
    void client.close();
    if (this.client !== client) return;
    this.left();
    this.client = undefined;
  }

  private listen(client: Client, connection: string): void {
    const { recording } = this.table;
    const shown = (message: Message | undefined): void => {
      if (message === undefined) return;
      this.lastText = message.message;
      recording.wasTold({ connection, shown: shownOf(message) });
    };
    client.updates.on('messageCreated', ({ message }) => {
      shown(message);
    });
    client.updates.on('message', ({ message }) => {
      shown(message);
    });
    client.updates.on('messageDeleted', ({ messageIds }) => {
      for (const deleted of messageIds) recording.wasTold({ connection, shown: { deleted } });
    });
    client.updates.on('channel', ({ channel }) => {
      const named = channelIn(channel?.name ?? '');
      if (named !== undefined) recording.wasTold({ connection, ...named });
    });
  }
}

const answerMillisMax = 30_000;
const triesMax = 300;
const backMillis = 100;

export const shownOf = ({ messageId: id, message: text }: Pick<Message, 'messageId' | 'message'>): Shown => ({
  id,
  text,
});

/** Of a channel that a run renames: `renamed-2-17` is the second one in version 17. */
export const channelIn = (name: string): { readonly thing: Thing; readonly version: Version } | undefined => {
  const [, thing, version] = /^(renamed-\d+)-(\d+)$/.exec(name) ?? [];
  return thing === undefined || version === undefined ? undefined : { thing, version: versionIn(`/${version}`) };
};
