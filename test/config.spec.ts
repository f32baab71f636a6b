import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { BadConfig, configFrom, unknownVariables, warningsOf, withoutSecrets } from '../src/config.js';

const refused = (environment: Readonly<Record<string, string>>, message: RegExp): void => {
  assert.throws(
    () => configFrom(environment),
    (error) => error instanceof BadConfig && message.test(error.message),
  );
};

describe('the configuration', () => {
  it('has defaults for everything', () => {
    assert.deepEqual(configFrom({}), {
      host: '127.0.0.1',
      port: 8080,
      adminHost: '127.0.0.1',
      adminPort: undefined,
      trustedProxies: [],
      origins: [],
      dataDir: resolve('data'),
      eventLog: 'lmdb',
      documents: 'lmdb',
      vault: 'lmdb',
      pubSub: 'local',
      masterKeyFile: undefined,
      blobs: 'files',
      fileBytesMax: 100 * 1_048_576,
      uploadedBytesPerUserAndDay: 4_096 * 1_048_576,
      rateLimits: true,
      embeds: true,
      scanCommand: undefined,
      signedOutPerAddress: 1_000,
      connectionsMax: 50_000,
      connectionsPerSession: 8,
      connectionsPerUser: 50,
      waitingBytesMax: 128 * 1_048_576,
      waitingBytesPerUser: 16 * 1_048_576,
      receivedBytesMax: 64 * 1_048_576,
      receivedBytesPerConnection: 4 * 1_048_576,
      freeDiskBytesMin: 1_024 * 1_048_576,
      writtenBytesPerUserAndDay: 1_024 * 1_048_576,
      projectionModules: [],
      openProjections: [],
      logLevel: 'info',
    });
  });

  it('takes what is set, and an empty text for nothing', () => {
    const config = configFrom({
      OSMIUM_PORT: '0',
      OSMIUM_HOST: '',
      OSMIUM_RATE_LIMITS: 'off',
      OSMIUM_DATA_DIR: '/tmp/x',
    });
    assert.deepEqual([config.port, config.host, config.rateLimits, config.dataDir], [0, '127.0.0.1', false, '/tmp/x']);
  });

  describe('of what may hold a password', () => {
    const folder = mkdtempSync(join(tmpdir(), 'osmium-config-'));
    after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'documents');
    writeFileSync(file, 'mongodb://me:secret@db/osmium\n');
    const given = { OSMIUM_DOCUMENTS_FILE: file, OSMIUM_MASTER_KEY_FILE: '/run/key', OSMIUM_BLOBS: 'file:///files' };

    it('is also taken from a file', () => {
      assert.deepEqual(configFrom(given).documents, { url: 'mongodb://me:secret@db/osmium' });
      assert.deepEqual(unknownVariables(given), []);
    });

    it('is refused where it is given twice, and where the file cannot be read or holds something else', () => {
      refused({ ...given, OSMIUM_DOCUMENTS: 'lmdb' }, /^OSMIUM_DOCUMENTS_FILE: .* beside OSMIUM_DOCUMENTS/);
      refused({ OSMIUM_PUBSUB_FILE: join(folder, 'none') }, /^OSMIUM_PUBSUB_FILE: .*none" cannot be read \(ENOENT/);
      refused({ OSMIUM_EVENT_LOG_FILE: file }, /^OSMIUM_EVENT_LOG: "mongodb:\/\/…@db\/osmium" is not allowed/);
    });

    it('is not said when the file holds a password alone', () => {
      writeFileSync(join(folder, 'password'), 'secret\n');
      refused({ OSMIUM_PUBSUB_FILE: join(folder, 'password') }, /^OSMIUM_PUBSUB: "…" is not allowed/);
    });

    it('is not taken from a file where it is no secret', () => {
      assert.deepEqual(unknownVariables({ OSMIUM_PORT_FILE: file }), ['OSMIUM_PORT_FILE']);
    });
  });

  it('takes a list of origins, and refuses what no browser sends as one', () => {
    const origins = 'https://chat.example, http://localhost:3000,app://osmium , null,*,http://[::1]:8080';
    assert.deepEqual(configFrom({ OSMIUM_ORIGINS: origins }).origins, origins.split(/ ?, ?/));
    const none = [
      'chat.example',
      'localhost:3000',
      'https://a/',
      'https://a/b',
      'https://A',
      'https://a:443',
      'https://',
    ];
    for (const bad of [...none, 'https://me@a', 'app://a/b', '//a', 'NULL', '*.a', 'https://*.a', 'https://a,', ',']) {
      refused(
        { OSMIUM_ORIGINS: bad },
        /^OSMIUM_ORIGINS: ".*" is not allowed; allowed is origins .*https:\/\/chat\.example/,
      );
    }
  });

  it('cannot be changed', () => {
    assert.ok(Object.isFrozen(configFrom({})));
  });

  it('names the variable, the value and what is allowed', () => {
    refused({ OSMIUM_PORT: '80a' }, /^OSMIUM_PORT: "80a" is not allowed; allowed is a whole number from 0 to 65535/);
    refused({ OSMIUM_PORT: '65536' }, /^OSMIUM_PORT: "65536"/);
    refused({ OSMIUM_EMBEDS: 'no' }, /^OSMIUM_EMBEDS: "no" is not allowed; allowed is "on" or "off"$/);
    refused(
      { OSMIUM_SCAN_COMMAND: './scan -' },
      /^OSMIUM_SCAN_COMMAND: ".\/scan -" is not allowed; allowed is a program/,
    );
    refused({ OSMIUM_RATE_LIMITS: 'no' }, /^OSMIUM_RATE_LIMITS: "no" is not allowed; allowed is "on" or "off"$/);
    refused({ OSMIUM_LOG_LEVEL: 'loud' }, /"trace", "debug"/);
    const nine = Array.from({ length: 9 }, (_, number) => `${number.toString()}.js`).join();
    refused({ OSMIUM_PROJECTIONS: nine }, /^OSMIUM_PROJECTIONS: .* allowed is paths of modules, .* 8 at most$/);
    refused({ OSMIUM_PROJECTIONS_OPEN: 'a-b' }, /^OSMIUM_PROJECTIONS_OPEN: "a-b" is not allowed/);
  });

  it('takes the words of a command', () => {
    const commandOf = (text: string) => configFrom({ OSMIUM_SCAN_COMMAND: text }).scanCommand;
    assert.deepEqual(commandOf('  clamdscan --no-summary  - '), ['clamdscan', '--no-summary', '-']);
    assert.deepEqual(commandOf('/opt/my/scan'), ['/opt/my/scan']);
    assert.equal(commandOf(''), undefined);
  });

  it('names all that is wrong at once', () => {
    refused({ OSMIUM_PORT: '-1', OSMIUM_HOST: 'a b' }, /OSMIUM_HOST.*\n.*OSMIUM_PORT/);
  });

  const shared = {
    OSMIUM_EVENT_LOG: 'esdb://log:2113',
    OSMIUM_DOCUMENTS: 'mongodb://me:secret@db/osmium',
    OSMIUM_BLOBS: 's3://key:secret@files?endpoint=https://s3',
  };
  const keyFile = { OSMIUM_MASTER_KEY_FILE: '/run/key' };

  it('takes servers in the place of what is built in', () => {
    const config = configFrom({ ...shared, ...keyFile, OSMIUM_PUBSUB: 'rediss://cache:6379/1' });
    assert.deepEqual(config.eventLog, { url: 'esdb://log:2113' });
    assert.deepEqual(config.pubSub, { url: 'rediss://cache:6379/1' });
    assert.deepEqual(warningsOf(config), ['OSMIUM_DOCUMENTS is reached over the network without TLS']);
  });

  it('keeps the keys with the documents, unless it is told otherwise', () => {
    const vault = { OSMIUM_VAULT: 'mongodb://other/keys' };
    assert.deepEqual(configFrom({ ...shared, ...keyFile }).vault, { url: 'mongodb://me:secret@db/osmium' });
    assert.deepEqual(configFrom({ ...shared, ...keyFile, ...vault }).vault, { url: 'mongodb://other/keys' });
  });

  it('refuses what would give each node keys of its own', () => {
    refused({ ...shared, ...keyFile, OSMIUM_VAULT: 'lmdb' }, /^OSMIUM_VAULT: .*OSMIUM_EVENT_LOG and OSMIUM_DOCUMENTS/);
    refused(shared, /^OSMIUM_MASTER_KEY_FILE: is needed .*OSMIUM_VAULT.*OSMIUM_DOCUMENTS/);
    refused({ OSMIUM_VAULT: 'mongodb://db/keys' }, /^OSMIUM_MASTER_KEY_FILE/);
  });

  it('refuses files that each node would keep to itself', () => {
    refused(
      { ...shared, ...keyFile, OSMIUM_BLOBS: 'files' },
      /^OSMIUM_BLOBS: .*each node.*OSMIUM_DOCUMENTS.*allowed is/,
    );
    assert.deepEqual(configFrom({ ...shared, ...keyFile, OSMIUM_BLOBS: 'file:///mnt/files' }).blobs, {
      url: 'file:///mnt/files',
    });
    refused({ OSMIUM_BLOBS: 'S3://key:secret@files' }, /^OSMIUM_BLOBS: "S3:\/\/…@files" is not allowed/);
  });

  it('warns of what only one node can do, and of nodes that do not hear each other', () => {
    assert.match(warningsOf(configFrom({ OSMIUM_EVENT_LOG: 'esdb://log:2113' })).join(), /the only node/);
    assert.match(warningsOf(configFrom({ ...shared, ...keyFile })).join(), /^OSMIUM_PUBSUB is "local"/);
    assert.deepEqual(warningsOf(configFrom({})), []);
  });

  it('keeps the secrets in addresses to itself', () => {
    refused({ OSMIUM_DOCUMENTS: 'mongo://me:secret@db/x' }, /^OSMIUM_DOCUMENTS: "mongo:\/\/…@db\/x" is not allowed/);
    refused({ OSMIUM_PUBSUB: 'redis:/me:secret@db' }, /^OSMIUM_PUBSUB: "…@db" is not allowed/);
    refused({ OSMIUM_PUBSUB: 'lokal' }, /^OSMIUM_PUBSUB: "lokal" is not allowed/);
    for (const address of ['esdb://me:se/cr@et@db?tls=false', 'mongodb://db/x?password=secret', 'redis://:secret@db']) {
      assert.doesNotMatch(withoutSecrets(address), /se\/?cr@?et/, address);
    }
  });

  it('finds variables that are misspelt', () => {
    assert.deepEqual(unknownVariables({ OSMIUM_PROT: '1', OSMIUM_PORT: '2', HOME: '/' }), ['OSMIUM_PROT']);
  });

  it('takes proxies as addresses and networks, and refuses anything else', () => {
    const proxies = '10.0.0.0/8, 192.0.2.7,2001:db8::/32,::1';
    assert.deepEqual(configFrom({ OSMIUM_TRUSTED_PROXIES: proxies }).trustedProxies, proxies.split(/, ?/));
    for (const none of ['proxy', '10.0.0.0/33', '::/129', '10.0.0/8', '10.0.0.0/8/8', 'fe80::1%eth0', '10.0.0.1,']) {
      refused(
        { OSMIUM_TRUSTED_PROXIES: none },
        /^OSMIUM_TRUSTED_PROXIES: ".*" is not allowed; allowed is IP addresses/,
      );
    }
  });

  it('takes a port of the operator, and has none by itself', () => {
    const { adminPort, adminHost } = configFrom({ OSMIUM_ADMIN_PORT: '0', OSMIUM_ADMIN_HOST: '::1' });
    assert.deepEqual([adminPort, adminHost], [0, '::1']);
    refused({ OSMIUM_ADMIN_PORT: 'x' }, /^OSMIUM_ADMIN_PORT: "x" is not allowed; allowed is a whole number/);
  });

  it('warns of what others on the network can hear or ask', () => {
    const warned = (environment: Readonly<Record<string, string>>) =>
      warningsOf(configFrom(environment)).map((warning) => /^\w+/.exec(warning)?.[0]);
    assert.deepEqual(warned({}), []);
    assert.deepEqual(warned({ OSMIUM_HOST: '0.0.0.0' }), ['OSMIUM_HOST']);
    assert.deepEqual(warned({ OSMIUM_HOST: '0.0.0.0', OSMIUM_TRUSTED_PROXIES: '10.0.0.1' }), []);
    assert.deepEqual(warned({ OSMIUM_ADMIN_HOST: '::' }), []);
    assert.deepEqual(warned({ OSMIUM_ADMIN_HOST: '::', OSMIUM_ADMIN_PORT: '9' }), ['OSMIUM_ADMIN_HOST']);
    for (const plain of ['redis://r', 'redis://:p@r:6379/0'])
      assert.deepEqual(warned({ OSMIUM_PUBSUB: plain }), ['OSMIUM_PUBSUB']);
    for (const not of ['rediss://r', 'redis://:p@localhost:6379', 'redis://[::1]:6379'])
      assert.deepEqual(warned({ OSMIUM_PUBSUB: not }), []);
    const key = { OSMIUM_MASTER_KEY_FILE: '/k', OSMIUM_BLOBS: 'file:///files' };
    assert.deepEqual(warned({ ...key, OSMIUM_DOCUMENTS: 'mongodb://u:p@127.0.0.1,m/x' }), ['OSMIUM_DOCUMENTS']);
    for (const not of ['mongodb://m/x?tls=true', 'mongodb+srv://m/x'])
      assert.deepEqual(warned({ ...key, OSMIUM_DOCUMENTS: not }), []);
    const log = (url: string) => warned({ OSMIUM_EVENT_LOG: url }).length;
    assert.deepEqual([log('esdb://e:2113?tls=false'), log('esdb://e:2113')], [2, 1]);
  });

  it('warns of a store of files without TLS, and of certificates that nobody checks', () => {
    const warned = (environment: Readonly<Record<string, string>>) =>
      warningsOf(configFrom(environment)).map((warning) => /^\w+/.exec(warning)?.[0]);
    for (const plain of [
      's3://k:s@b?endpoint=http://s3.example:9000',
      's3://bucket/p?region=x&endpoint=http%3A%2F%2Fs',
    ])
      assert.deepEqual(warned({ OSMIUM_BLOBS: plain }), ['OSMIUM_BLOBS'], plain);
    for (const not of ['s3://bucket', 's3://b1?endpoint=https://s', 's3://b1?endpoint=http://127.0.0.1:9', 'file:///f'])
      assert.deepEqual(warned({ OSMIUM_BLOBS: not }), [], not);
    const shared = { OSMIUM_MASTER_KEY_FILE: '/k', OSMIUM_BLOBS: 'file:///files' };
    for (const option of ['tlsInsecure', 'tlsAllowInvalidCertificates', 'tlsallowinvalidhostnames']) {
      const url = (value: string) => `mongodb://m/x?tls=true&${option}=${value}`;
      assert.deepEqual(warned({ ...shared, OSMIUM_DOCUMENTS: url('true') }), ['OSMIUM_DOCUMENTS'], option);
      assert.deepEqual(warned({ ...shared, OSMIUM_DOCUMENTS: url('false') }), [], option);
    }
    const vault = { ...shared, OSMIUM_VAULT: 'mongodb+srv://v/?tlsInsecure=true' };
    assert.deepEqual(warned(vault), ['OSMIUM_VAULT']);
  });
});
