import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { letWritesEnd } from '../../src/adapters/mongo/driverInside.js';

type Command = (namespace: object, command: object, options: object) => Promise<unknown>;
type Inside = { readonly Connection: new (socket: Duplex, options: object) => { readonly command: Command } };
type Utils = { readonly ns: (name: string) => object };

const require = createRequire(import.meta.url);
// What the package has inside is not among its types.
const { Connection } = require('mongodb/lib/cmap/connection.js') as Inside;
const { ns } = require('mongodb/lib/utils.js') as Utils;

/** A socket that takes everything and answers nothing. */
const socketOf = (write: (done: () => void) => void): Duplex =>
  Object.assign(
    new Duplex({
      highWaterMark: 1,
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        write(done);
      },
    }),
    { setTimeout: () => undefined },
  );

const asked = async (socket: Duplex, then: () => void): Promise<string> => {
  let outcome = 'waits';
  const connection = new Connection(socket, {
    id: 1,
    generation: 1,
    hostAddress: '127.0.0.1:1',
    monitorCommands: false,
  });
  connection.command(ns('admin.$cmd'), { hello: 1 }, {}).then(
    () => (outcome = 'answered'),
    (error: unknown) => (outcome = String(error)),
  );
  then();
  for (let turns = 0; turns < 5; turns += 1) await turn();
  return outcome;
};

describe('a command to mongo', () => {
  it('fails when its connection has been closed in the turn in which it is written', async () => {
    letWritesEnd();
    const socket = socketOf((done) => {
      done();
    });
    assert.match(await asked(socket, () => socket.destroy()), /MongoNetworkError: connection 1 to .* closed/);
  });

  it('fails when its connection closes while much of it is still to be written', async () => {
    letWritesEnd();
    const socket = socketOf(() => undefined);
    const close = (): void => {
      setImmediate(() => socket.destroy());
    };
    assert.match(await asked(socket, close), /MongoNetworkError: connection 1 to .* closed/);
  });

  it('waits for its answer otherwise', async () => {
    letWritesEnd();
    const socket = socketOf((done) => {
      done();
    });
    assert.equal(await asked(socket, () => undefined), 'waits');
    socket.destroy();
  });
});
