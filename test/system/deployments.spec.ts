import assert from 'node:assert/strict';
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { connect, type Client } from '../../src/client/client.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { configFrom } from '../../src/config.js';
import { markName } from '../../src/container/deployment/filesMark.js';
import { giveUpKeys, type NextVault } from '../../src/container/deployment/giveUpKeys.js';
import { foldersIn } from '../../src/engines.js';
import { openLogReader } from '../../src/logs.js';
import { emptied, filesIn, formerFolder, freshFolder } from '../support/dataFolders.js';
import { testServer } from '../support/server.js';
import { serverProcess } from '../support/serverProcess.js';
import { openedDigestsIn } from './stored.js';

type Part = 'vault' | 'log' | 'documents';

const within = async <T>(url: string, token: string | undefined, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = await connect({ url, openSocket: nodeSocket });
  try {
    if (token !== undefined) await client.authorize(token);
    return await work(client);
  } finally {
    await client.close();
  }
};

const note = (client: Client, message: string) =>
  client.call('messages.sendMessage', { chatRef: { self: {} }, message });

/** A folder on which a server has worked, with one message that its author can come back to. */
const used = async (t: TestContext, text = 'before'): Promise<{ readonly dataDir: string; readonly token: string }> => {
  const dataDir = freshFolder(t);
  const server = await testServer({ dataDir });
  const token = await within(server.url, undefined, async (client) => {
    await client.signUp({ name: 'Ada' });
    await note(client, text);
    return client.token;
  });
  await server.close();
  assert.ok(token);
  return { dataDir, token };
};

const notesIn = async (dataDir: string, token: string): Promise<readonly string[]> => {
  const server = await testServer({ dataDir });
  try {
    const history = await within(server.url, token, (client) =>
      client.call('messages.getHistory', { chatRef: { self: {} } }),
    );
    return history.messages.map(({ message }) => message);
  } finally {
    await server.close();
  }
};

const refusal = async (dataDir: string): Promise<string> => {
  // The index follows from the log: after a crash it catches up when the log is opened to be looked at.
  const files = (): readonly string[] => filesIn(dataDir).filter((file) => !file.startsWith('log/index/'));
  const before = files();
  let message = '';
  await assert.rejects(testServer({ dataDir }), (error: Error) => {
    message = error.message;
    return error.name === 'BadConfig';
  });
  assert.deepEqual(files(), before);
  return message;
};

const typesIn = async (dataDir: string): Promise<readonly string[]> => {
  const log = openLogReader(dataDir);
  const types = log.readAll({ limit: 1_000 }).map(({ type }) => type);
  await log.close();
  return types;
};

const namesIn = (part: Part, dataDir: string): RegExp =>
  new RegExp(`^OSMIUM_DATA_DIR: "${dataDir}" cannot be used: the .* in ${foldersIn(dataDir)[part]} `);

const losses: Readonly<Record<string, (folder: string, aside: string) => void>> = {
  'moved away': (folder, aside) => {
    renameSync(folder, aside);
  },
  emptied: (folder, aside) => {
    cpSync(folder, aside, { recursive: true });
    emptied(folder);
  },
};

const putBack = (folder: string, aside: string): void => {
  rmSync(folder, { recursive: true, force: true });
  renameSync(aside, folder);
};

describe('a part of a deployment', () => {
  for (const part of ['vault', 'log'] as const) {
    for (const [how, lose] of Object.entries(losses)) {
      it(`is asked for by name when the ${part} was ${how}, and is right again once it is back`, async (t) => {
        const { dataDir, token } = await used(t);
        const [folder, aside] = [foldersIn(dataDir)[part], join(dataDir, 'aside')];
        lose(folder, aside);
        assert.match(await refusal(dataDir), namesIn(part, dataDir));
        // Not only the first time.
        assert.match(await refusal(dataDir), namesIn(part, dataDir));
        putBack(folder, aside);
        assert.deepEqual(await notesIn(dataDir, token), ['before']);
      });
    }

    it(`is asked for when the ${part} and the read models are lost together, with the key or without it`, async (t) => {
      const { dataDir } = await used(t);
      const { [part]: folder, documents, masterKey } = foldersIn(dataDir);
      for (const lost of [folder, documents]) rmSync(lost, { recursive: true });
      assert.match(await refusal(dataDir), namesIn(part, dataDir));
      if (part === 'vault') rmSync(masterKey);
      assert.match(await refusal(dataDir), namesIn(part, dataDir));
    });
  }

  it('is the log, when only the read models are left', async (t) => {
    const { dataDir } = await used(t);
    const { vault, log } = foldersIn(dataDir);
    for (const lost of [vault, log]) rmSync(lost, { recursive: true });
    assert.match(await refusal(dataDir), namesIn('log', dataDir));
  });

  it('may be missing when it is the read models', async (t) => {
    const { dataDir, token } = await used(t);
    rmSync(foldersIn(dataDir).documents, { recursive: true });
    assert.deepEqual(await notesIn(dataDir, token), ['before']);
  });

  for (const part of ['vault', 'log', 'documents'] as const) {
    it(`of another deployment is refused when it is the ${part}`, async (t) => {
      const [own, other] = [await used(t, 'own'), await used(t, 'other')];
      const [folder, aside] = [foldersIn(own.dataDir)[part], join(own.dataDir, 'aside')];
      renameSync(folder, aside);
      cpSync(foldersIn(other.dataDir)[part], folder, { recursive: true });
      // A vault comes with its key, or the key alone would tell.
      const keyAside = join(own.dataDir, 'key.aside');
      const { masterKey } = foldersIn(own.dataDir);
      cpSync(masterKey, keyAside);
      if (part === 'vault') cpSync(foldersIn(other.dataDir).masterKey, masterKey);
      const message = await refusal(own.dataDir);
      assert.match(message, namesIn(part, own.dataDir));
      assert.match(message, /the deployment [0-9a-f]{16}/);
      putBack(folder, aside);
      cpSync(keyAside, masterKey);
      assert.deepEqual(await notesIn(own.dataDir, own.token), ['own']);
    });
  }

  it('is an older vault by as many keys as it lacks', async (t) => {
    const { dataDir, token } = await used(t);
    const { vault } = foldersIn(dataDir);
    const [older, newer] = [join(dataDir, 'older'), join(dataDir, 'newer')];
    cpSync(vault, older, { recursive: true });
    const server = await testServer({ dataDir });
    // Keys of an account, of its month and of its notes.
    await within(server.url, undefined, async (client) => {
      await client.signUp({ name: 'Ben' });
      await note(client, 'hello');
    });
    await server.close();
    renameSync(vault, newer);
    cpSync(older, vault, { recursive: true });
    assert.match(await refusal(dataDir), /is an older copy: 3 keys that it had made are not in it/);
    putBack(vault, newer);
    assert.deepEqual(await notesIn(dataDir, token), ['before']);
  });
});

/** Ben signs up and writes a note on a server that is killed, so that it does not note how many keys there are. */
const lostInCrash = async (t: TestContext, dataDir: string): Promise<string> => {
  const server = serverProcess(t, { OSMIUM_DATA_DIR: dataDir, OSMIUM_PORT: '0' });
  const token = await within(await server.ready, undefined, async (client) => {
    await client.signUp({ name: 'Ben' });
    await note(client, 'lost');
    return client.token;
  });
  server.kill('SIGKILL');
  await server.ended;
  return token ?? '';
};

describe('a vault of before a crash', () => {
  it('is an older one, although the log does not say how many keys there were', async (t) => {
    const { dataDir, token } = await used(t);
    const { vault } = foldersIn(dataDir);
    const [older, newer] = [join(dataDir, 'older'), join(dataDir, 'newer')];
    cpSync(vault, older, { recursive: true });
    const lost = await lostInCrash(t, dataDir);
    renameSync(vault, newer);
    cpSync(older, vault, { recursive: true });
    const message = await refusal(dataDir);
    assert.match(message, namesIn('vault', dataDir));
    assert.match(message, /is an older copy: 3 keys that it had made are not in it/);
    putBack(vault, newer);
    assert.deepEqual(await notesIn(dataDir, token), ['before']);
    assert.deepEqual(await notesIn(dataDir, lost), ['lost']);
  });
});

describe('the name of a deployment', () => {
  it('is one event, however often the server starts', async (t) => {
    const { dataDir, token } = await used(t);
    await notesIn(dataDir, token);
    const types = await typesIn(dataDir);
    assert.equal(types[0], 'deployments.DeploymentNamed.v1');
    assert.equal(types.filter((type) => type === 'deployments.DeploymentNamed.v1').length, 1);
  });
});

const goOn = (dataDir: string, next: NextVault): Promise<string> =>
  giveUpKeys(configFrom({ OSMIUM_DATA_DIR: dataDir }), next);

describe('giving up keys', () => {
  it('lets the log go on without its vault: what was sealed reads as erased, what comes is there', async (t) => {
    const { dataDir, token } = await used(t);
    const [{ vault }, aside] = [foldersIn(dataDir), join(dataDir, 'aside')];
    renameSync(vault, aside);
    await goOn(dataDir, 'new');
    assert.deepEqual(await notesIn(dataDir, token), ['']);
    const server = await testServer({ dataDir });
    // Under the same names of keys: of the same author, month and chat.
    await within(server.url, token, (client) => note(client, 'after'));
    await server.close();
    rmSync(foldersIn(dataDir).documents, { recursive: true });
    assert.deepEqual(await notesIn(dataDir, token), ['after', '']);
    rmSync(vault, { recursive: true });
    renameSync(aside, vault);
    assert.match(await refusal(dataDir), /the one of before its keys were given up/);
  });

  it('keeps what an older vault opens', async (t) => {
    const { dataDir, token } = await used(t);
    const [{ vault }, older] = [foldersIn(dataDir), join(dataDir, 'older')];
    cpSync(vault, older, { recursive: true });
    const server = await testServer({ dataDir });
    const lost = await within(server.url, undefined, async (client) => {
      await client.signUp({ name: 'Ben' });
      await note(client, 'lost');
      return client.token;
    });
    await server.close();
    rmSync(vault, { recursive: true });
    renameSync(older, vault);
    await goOn(dataDir, 'keep');
    assert.deepEqual(await notesIn(dataDir, token), ['before']);
    assert.deepEqual(await notesIn(dataDir, lost ?? ''), ['']);
  });

  it('keeps a vault of the right name too, where the log has sealed events that it does not open', async (t) => {
    const { dataDir, token } = await used(t);
    const [{ vault }, older] = [foldersIn(dataDir), join(dataDir, 'older')];
    cpSync(vault, older, { recursive: true });
    const lost = await lostInCrash(t, dataDir);
    rmSync(vault, { recursive: true });
    renameSync(older, vault);
    await goOn(dataDir, 'keep');
    assert.deepEqual(await notesIn(dataDir, token), ['before']);
    assert.deepEqual(await notesIn(dataDir, lost), ['']);
    await assert.rejects(goOn(dataDir, 'keep'), /there is nothing to give up/);
  });

  it('is refused where nothing is lost, and never takes the place of a vault', async (t) => {
    const [own, other] = [await used(t), await used(t)];
    for (const next of ['new', 'keep'] as const) {
      await assert.rejects(goOn(own.dataDir, next), /there is nothing to give up/);
    }
    emptied(foldersIn(own.dataDir).vault);
    await assert.rejects(goOn(own.dataDir, 'keep'), /there is nothing to keep/);
    rmSync(foldersIn(own.dataDir).vault, { recursive: true });
    cpSync(foldersIn(other.dataDir).vault, foldersIn(own.dataDir).vault, { recursive: true });
    cpSync(foldersIn(other.dataDir).masterKey, foldersIn(own.dataDir).masterKey);
    await assert.rejects(goOn(own.dataDir, 'new'), /is not empty: move it away first/);
  });

  it('is refused while a server works on the folder', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    await assert.rejects(goOn(server.dataDir, 'new'), { name: 'FolderInUse' });
  });

  it('is refused where there is no log', async (t) => {
    const dataDir = freshFolder(t);
    await assert.rejects(goOn(dataDir, 'new'), /there is no log here/);
    assert.ok(!existsSync(foldersIn(dataDir).vault));
    const { dataDir: other } = await used(t);
    rmSync(foldersIn(other).log, { recursive: true });
    await assert.rejects(goOn(other, 'new'), /not the vault is at fault but the log/);
  });
});

/**
 * Memberships note the moment of the joining now, and `lastSent` is new, because unread counts begin and go on by them.
 * Messages say the revision of their words, for which their previews are. Pins, bots, files, photos, previews and
 * custom emoji are new.
 * Documents of reactions are new: one that is left of each deleted message says so. Conversations note the one who has
 * begun them and whether the other has answered, because presence is shown only after that; invites note the joining of
 * their creator or their place in the log, for which removals are new, because they end with it. Sessions note the day on
 * which they were used last. States of long streams are new: they spare the rules the whole of a stream.
 */
const otherThanBefore: readonly string[] = [
  'memberships',
  'lastSent',
  'messages',
  'previews',
  'bots',
  'messageReactions',
  'pinnedMessages',
  'uploads',
  'files',
  'fileUses',
  'reportFiles',
  'photoUses',
  'emoji',
  'stickerPacks',
  'stickerPackStates',
  'userReactions',
  'conversations',
  'invites',
  'removals',
  'sessions',
  'accountStates',
  'communityStates',
  'memberStates',
  'userStates',
];

/** By type, in whatever version, without the types that are meant to be others than before. */
const comparable = (digests: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(digests)
      .map(([collection, digest]) => [collection.replace(/_v\d+$/, ''), digest] as const)
      .filter(([type]) => !otherThanBefore.includes(type)),
  );

describe('a folder of the former release', () => {
  it('gets a name at the first start, and reads as it did', async (t) => {
    const { dataDir, digests, tokens } = formerFolder(t);
    const before = await typesIn(dataDir);
    assert.deepEqual(await notesIn(dataDir, tokens.ada), ['Only to me']);
    const types = await typesIn(dataDir);
    assert.equal(types[before.length], 'deployments.DeploymentNamed.v1');
    assert.deepEqual(comparable(await openedDigestsIn(dataDir)), comparable(digests));
  });

  it('without having been asked for anything has the same read models to the letter', async (t) => {
    const { dataDir, digests } = formerFolder(t);
    await (await testServer({ dataDir })).close();
    assert.deepEqual(comparable(await openedDigestsIn(dataDir)), comparable(digests));
    rmSync(foldersIn(dataDir).documents, { recursive: true });
    await (await testServer({ dataDir })).close();
    assert.deepEqual(comparable(await openedDigestsIn(dataDir)), comparable(digests));
  });

  for (const [how, lose] of Object.entries(losses)) {
    it(`is refused when its vault was ${how}, and gets a name when that is back`, async (t) => {
      const { dataDir, tokens } = formerFolder(t);
      const [{ vault }, aside] = [foldersIn(dataDir), join(dataDir, 'aside')];
      lose(vault, aside);
      assert.match(await refusal(dataDir), namesIn('vault', dataDir));
      putBack(vault, aside);
      assert.deepEqual(await notesIn(dataDir, tokens.ada), ['Only to me']);
    });
  }

  it('is refused when its log is lost, or its parts are of two deployments', async (t) => {
    const [own, other] = [formerFolder(t), await used(t)];
    const [{ log, documents, vault, masterKey }, aside] = [foldersIn(own.dataDir), join(own.dataDir, 'aside')];
    renameSync(log, aside);
    assert.match(await refusal(own.dataDir), namesIn('log', own.dataDir));
    renameSync(aside, log);
    rmSync(documents, { recursive: true });
    cpSync(foldersIn(other.dataDir).documents, documents, { recursive: true });
    assert.match(await refusal(own.dataDir), namesIn('documents', own.dataDir));
    rmSync(documents, { recursive: true });
    rmSync(vault, { recursive: true });
    cpSync(foldersIn(other.dataDir).vault, vault, { recursive: true });
    cpSync(foldersIn(other.dataDir).masterKey, masterKey);
    assert.match(await refusal(own.dataDir), /does not open \d+ of \d+ sealed events that were tried/);
  });
});

describe('a store of files outside of the data folder', () => {
  const rig = (t: TestContext) => {
    const store = join(freshFolder(t), 'files');
    const start = (dataDir: string) =>
      testServer({ dataDir, environment: { OSMIUM_BLOBS: pathToFileURL(store).href } });
    const upload = async (dataDir: string) => {
      const server = await start(dataDir);
      await within(server.url, undefined, async (client) => {
        await client.signUp({ name: 'Ada' });
        await client.call('media.uploadFilePart', { uploadId: 1n, part: 0, data: Buffer.from('bytes') });
      });
      await server.close();
    };
    return { store, start, upload };
  };

  it('is that of one deployment: another one is refused by its name, and changes nothing in it', async (t) => {
    const { store, start, upload } = rig(t);
    const [own, other] = [freshFolder(t), freshFolder(t)];
    await upload(own);
    const before = filesIn(store);
    assert.ok(before.some((file) => file.startsWith('files/')));
    for (let times = 0; times < 2; times += 1) {
      await assert.rejects(start(other), (error: Error) => {
        assert.equal(error.name, 'BadConfig');
        assert.match(
          error.message,
          /^OSMIUM_BLOBS: .* the store of files in .*files belongs to the deployment [0-9a-f]{16}, /,
        );
        return true;
      });
    }
    assert.deepEqual(filesIn(store), before);
    await (await start(own)).close();
  });

  it('of a former release has no mark, and gets it at the first start', async (t) => {
    const { store, start, upload } = rig(t);
    const [own, other] = [freshFolder(t), freshFolder(t)];
    await upload(own);
    rmSync(join(store, markName));
    await (await start(own)).close();
    assert.ok(existsSync(join(store, markName)));
    await assert.rejects(start(other), { name: 'BadConfig' });
  });

  it('stays that of its log when keys are given up', async (t) => {
    const { start, upload } = rig(t);
    const own = freshFolder(t);
    await upload(own);
    rmSync(foldersIn(own).vault, { recursive: true });
    await giveUpKeys(configFrom({ OSMIUM_DATA_DIR: own }), 'new');
    for (let times = 0; times < 2; times += 1) await (await start(own)).close();
  });
});
