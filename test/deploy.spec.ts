import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { BlockList } from 'node:net';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { parse } from 'yaml';
import { z } from 'zod';
import { configFrom, isServer, unknownVariables, warningsOf } from '../src/config.js';
import { loadMasterKey } from '../src/adapters/vault/masterKey.js';
import { root } from './support/sources.js';

const text = (file: string): string => readFileSync(join(root, file), 'utf8');

/** As much of the format as is used; a key that is not named here fails. */
const service = z.strictObject({
  build: z.literal('.').optional(),
  image: z.string(),
  user: z.string().optional(),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  cap_add: z.array(z.enum(['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'])).default([]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  pids_limit: z.number().max(1_024),
  mem_limit: z.string().regex(/^\d+[mg]$/),
  tmpfs: z.array(z.string().startsWith('/')).default([]),
  profiles: z.array(z.string()).default([]),
  restart: z.literal('unless-stopped'),
  stop_grace_period: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string().startsWith('127.0.0.1:')).default([]),
  networks: z.union([
    z.array(z.string()),
    z.record(z.string(), z.strictObject({ ipv4_address: z.ipv4() })).transform((networks) => Object.keys(networks)),
  ]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: z.strictObject({
    test: z.array(z.string()).min(2),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number(),
    start_period: z.string().optional(),
  }),
});
const named = z.record(z.string(), z.unknown());
const composition = z.strictObject({
  'x-confined': z.unknown(),
  'x-node': z.unknown(),
  services: z.record(z.string(), service),
  networks: named,
  volumes: named,
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

const compose = composition.parse(parse(text('docker-compose.yml'), { merge: true }));
const services = Object.entries(compose.services);
const nodes = services.filter(([, { build }]) => build !== undefined);

const folder = mkdtempSync(join(tmpdir(), 'osmium-secrets-'));
after(() => rmSync(folder, { recursive: true }));
const makeSecrets = (): void => {
  execFileSync('sh', [join(root, 'deploy/make-secrets.sh'), folder]);
};
makeSecrets();
const secretFile = (name: string): string => join(folder, basename(compose.secrets[name]?.file ?? ''));
const isIn = (network: string, address: string): boolean => {
  const [base = '', bits = ''] = network.split('/');
  const list = new BlockList();
  list.addSubnet(base, Number(bits), 'ipv4');
  return list.check(address);
};
const secret = (name: string): string => readFileSync(secretFile(name), 'utf8');

/** Of the files that are mounted from here. */
const mountedText = (volumes: readonly string[]): string => {
  const files = volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => source.startsWith('.'));
  return files.map((file) => text(file)).join('\n');
};

describe('docker-compose.yml', () => {
  it('has two nodes, and servers for all that they share', () => {
    assert.deepEqual(
      nodes.map(([name]) => name),
      ['node-1', 'node-2'],
    );
    const images = services.map(([, { image }]) => image.replace(/^.*\//, '').replace(/:.*/, ''));
    for (const image of ['eventstore', 'mongo', 'redis', 'haproxy', 'mailpit', 'seaweedfs']) {
      assert.ok(images.includes(image), image);
    }
  });

  it('names the exact version of every image', () => {
    for (const [name, { image }] of services) assert.match(image, /:v?\d+\.\d+[\w.-]*$/, name);
    for (const [, image] of text('Dockerfile').matchAll(/^FROM (\S+)/gm)) assert.match(image ?? '', /:\d+\.\d+\.\d+-/);
  });

  it('confines every service, and lets none have more than the start of its image needs', () => {
    const roots = services.filter(([, { cap_add }]) => cap_add.length > 0).map(([name]) => name);
    assert.deepEqual(roots, ['documents', 'objects']);
  });

  it('starts nothing that nothing uses, unless it is asked for', () => {
    const asked = services.filter(([, { profiles }]) => profiles.length > 0).map(([name]) => name);
    assert.deepEqual(asked, ['mail', 'objects']);
    for (const [name, { depends_on }] of services) {
      for (const other of asked) assert.ok(!(other in depends_on), `${name}: ${other}`);
    }
  });

  it('puts no secret on a command line', () => {
    for (const [name, { command = [], entrypoint = [], healthcheck }] of services) {
      const lines = [...command, ...entrypoint, ...healthcheck.test].join('\n');
      // A shell puts the text of a file into the words of a program, unless it is a variable of the environment.
      const words = lines.replace(/\b[A-Z_]+="\$\$\(cat [^)]*\)"/g, '');
      assert.doesNotMatch(words, /\$\(\s*(cat|<)/, name);
    }
  });

  it('uses the password of MongoDB for its health only while there is no primary', () => {
    /** What the script does with a server that is a primary or not, and how it ends. */
    const askedOf = ({ isWritablePrimary }: { readonly isWritablePrimary: boolean }): readonly unknown[] => {
      const done: unknown[] = [];
      const admin = {
        hello: () => ({ isWritablePrimary }),
        auth: (user: string, password: string) => done.push(user, password),
        adminCommand: (command: object) => done.push(...Object.keys(command)),
      };
      runInNewContext(text('deploy/mongo-health.js'), {
        connect: () => admin,
        quit: (code: number) => done.push(code),
        require: () => ({ readFileSync: () => 'secret\n' }),
      });
      return done;
    };
    assert.deepEqual(askedOf({ isWritablePrimary: true }), [0]);
    assert.deepEqual(askedOf({ isWritablePrimary: false }), ['root', 'secret', 'replSetGetStatus', 1]);
  });

  it('lets the nodes believe the proxy, and no other address', () => {
    // The part of the file that the schema leaves out.
    const { services: raw, networks } = parse(text('docker-compose.yml'), { merge: true }) as {
      services: { proxy: { networks: { front: { ipv4_address: string } } } };
      networks: { front: { ipam: { config: [{ subnet: string; ip_range: string; gateway: string }] } } };
    };
    const address = raw.proxy.networks.front.ipv4_address;
    for (const [, { environment }] of nodes) assert.equal(environment['OSMIUM_TRUSTED_PROXIES'], address);
    const { subnet, ip_range: range, gateway } = networks.front.ipam.config[0];
    assert.ok(isIn(subnet, address));
    // The nodes start before the proxy, and would be given the first address that is free.
    assert.ok(isIn(subnet, range.split('/')[0] ?? '') && !isIn(range, address) && gateway !== address);
    assert.match(text('deploy/haproxy.cfg'), /^ {2}default-server send-proxy-v2 /m);
    assert.match(text('deploy/haproxy.cfg'), /^ {2}http-request del-header X-Forwarded-For$/m);
    assert.match(text('deploy/haproxy.cfg'), /^ {2}timeout http-request \d+s$/m);
  });

  it('mounts and waits for nothing that is not there', () => {
    for (const [name, { secrets, networks, volumes, depends_on }] of services) {
      for (const each of secrets) assert.ok(each in compose.secrets, `${name}: ${each}`);
      for (const each of networks) assert.ok(each in compose.networks, `${name}: ${each}`);
      for (const each of Object.keys(depends_on)) assert.ok(each in compose.services, `${name}: ${each}`);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        assert.ok(source.startsWith('.') ? existsSync(join(root, source)) : source in compose.volumes, volume);
      }
    }
  });

  it('gives a service every secret that it reads', () => {
    let read = 0;
    for (const [name, one] of services) {
      for (const [, used = ''] of (JSON.stringify(one) + mountedText(one.volumes)).matchAll(/\/run\/secrets\/(\w+)/g)) {
        assert.ok(one.secrets.includes(used), `${name}: ${used}`);
        read += 1;
      }
    }
    assert.ok(read >= 8);
  });

  it('uses every secret, volume and network that it declares', () => {
    const used = services.flatMap(([, { secrets, volumes, networks }]) => [...secrets, ...volumes, ...networks]);
    const names = new Set(used.map((one) => one.split(':')[0]));
    for (const declared of [compose.secrets, compose.volumes, compose.networks]) {
      for (const name of Object.keys(declared)) assert.ok(names.has(name), name);
    }
  });

  it('configures both nodes with the same servers, each with a data folder of its own', () => {
    const [one, other] = nodes.map(([, node]) => node);
    assert.ok(one && other);
    assert.deepEqual({ ...one, volumes: [] }, { ...other, volumes: [] });
    assert.notDeepEqual(one.volumes, other.volumes);
    const data = /OSMIUM_DATA_DIR=(\S+)/.exec(text('Dockerfile'))?.[1];
    for (const { volumes } of [one, other]) assert.ok(volumes[0]?.endsWith(`:${data ?? '?'}`));
  });

  it('gives the nodes a configuration that they take, with a warning for each engine without TLS', () => {
    const environment = Object.fromEntries(
      Object.entries(nodes[0]?.[1].environment ?? {}).map(([name, value]) => [
        name,
        String(value).replace(/^\/run\/secrets\/(\w+)$/, (_, mounted: string) => secretFile(mounted)),
      ]),
    );
    assert.deepEqual(unknownVariables(environment), []);
    const config = configFrom(environment);
    assert.deepEqual(
      warningsOf(config),
      ['OSMIUM_EVENT_LOG', 'OSMIUM_DOCUMENTS', 'OSMIUM_PUBSUB'].map(
        (name) => `${name} is reached over the network without TLS`,
      ),
    );
    for (const engine of [config.eventLog, config.documents, config.pubSub]) {
      assert.ok(isServer(engine));
      assert.ok(new URL(engine.url.replace(/^\w+/, 'http')).hostname in compose.services, engine.url);
    }
    assert.equal(loadMasterKey(config.masterKeyFile ?? '', { mayMake: false }).made, false);
  });
});

describe('the secrets', () => {
  it('are made once', () => {
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'hex')]);
    assert.ok(before.length >= 8);
    makeSecrets();
    assert.deepEqual(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'hex')]),
      before,
    );
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it('stand in the addresses that need them', () => {
    assert.ok(secret('documents').includes(`:${secret('mongo_password')}@`));
    assert.ok(secret('pubsub').includes(`:${secret('redis_password')}@`));
    assert.equal(new Set(['mongo_password', 'mongo_root_password', 'redis_password'].map(secret)).size, 3);
  });

  it('stay out of the repository and of images', () => {
    for (const file of ['.gitignore', '.dockerignore']) {
      assert.ok(
        text(file)
          .split('\n')
          .some((line) => line.replace(/\/$/, '') === 'deploy/secrets'),
        file,
      );
    }
  });
});

describe('the proxy', () => {
  it('sends clients to both nodes, and asks each whether it is ready', () => {
    const config = text('deploy/haproxy.cfg');
    const servers = [...config.matchAll(/^ {2}server \S+ ([\w-]+):(\d+)$/gm)].map(([, name, port]) => [name, port]);
    const port = /OSMIUM_PORT=(\d+)/.exec(text('Dockerfile'))?.[1];
    assert.deepEqual(
      servers,
      nodes.map(([name]) => [name, port]),
    );
    assert.match(config, /httpchk GET \/readyz/);
  });

  it('has a configuration of known sections and words, each section once', () => {
    const lines = text('deploy/haproxy.cfg')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
    const sections = lines.filter((line) => !line.startsWith('  '));
    assert.deepEqual(sections, ['global', 'defaults', 'resolvers docker', 'frontend clients', 'backend nodes']);
    const known =
      /^ {2}(tune\.sndbuf\.client|tune\.rcvbuf\.server|log|maxconn|mode|option|timeout|nameserver|bind|default_backend|balance|http-check|default-server|server|http-request) \S/;
    const unknown = lines.filter((line) => line.startsWith('  ') && !known.test(line));
    assert.deepEqual(unknown, []);
    assert.ok(lines.includes('  default_backend nodes'));
  });
});

describe('the image', () => {
  it('copies nothing that is not there, and starts what the package starts', () => {
    const dockerfile = text('Dockerfile');
    const copied = [...dockerfile.matchAll(/^COPY --from=build (.*) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    assert.ok(copied.length > 0);
    for (const path of copied) assert.ok(existsSync(path.replace('/osmium/', root)), path);
    const started = /^CMD \["node", "(.*)"\]$/m.exec(dockerfile)?.[1] ?? '?';
    assert.ok(text('package.json').includes(`node ${started}"`));
    assert.match(dockerfile, /^USER node$/m);
  });
});
