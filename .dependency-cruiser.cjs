// Who may import whom: the table of docs/architecture.md, one rule for each of its rows. Whatever a row does not name is
// refused. Types count as imports too.

const kernel = '^src/kernel/';
const ids = '^src/kernel/ids\\.ts$';
const gen = '^src/gen/';
const wire = '^src/wire/';
const domain = '^src/domain/';
const anyEvents = '^src/domain/[^/]+/events\\.ts$';
const sharedProjections = '^src/projections/[^/]+\\.ts$';
const reads = '^src/projections/[^/]+/(queries|documents)\\.ts$';
const sharedGateway = '^src/gateway/[^/]+\\.ts$';
const config = '^src/config\\.ts$';
const entryPoints = '^src/((main|cli)\\.ts$|cli/)';
const container = '^src/container(\\.ts$|/)';
const engines = '^src/engines\\.ts$';
/** Opens a log alone, for the tools. */
const logs = '^src/logs\\.ts$';
/** A driver's connection, which several ports share. */
const driverConnections = '^src/adapters/(redis|mongo)/';

const npm = (...names) => names.map((name) => `(^|/)node_modules/(@types/)?${name}/`);

/** Files under `path` import what `may` lists and nothing else: no package and no module of Node's either. */
const row = (name, path, may) => ({ name, severity: 'error', from: { path }, to: { pathNot: may } });

/** The same, and any module of Node's. */
const rowWithNode = (name, path, may) => ({
  name,
  severity: 'error',
  from: { path },
  to: { pathNot: may, dependencyTypesNot: ['core'] },
});

/** The package is for the files that are named after it: swapping a technology touches these alone. */
const driver = (name, files) => ({
  name: `driver-${name.replace(/[@/]/g, '-')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: files },
  to: { path: npm(name) },
});

const layers = [
  row('kernel', kernel, [kernel]),
  row('domain-registry', '^src/domain/[^/]+\\.ts$', [kernel, anyEvents]),
  row('domain', '^src/domain/([^/]+)/', [kernel, anyEvents, '^src/domain/$1/']),
  {
    // What is counted from several packages' documents, such as unread messages, stands beside them.
    ...row('projections-shared', sharedProjections, [
      kernel,
      sharedProjections,
      '^src/projections/[^/]+/(queries|documents|fold|countKey)\\.ts$',
      ...npm('lru-cache'),
    ]),
    from: { path: sharedProjections, pathNot: '^src/projections/registry\\.ts$' },
  },
  row('projections-registry', '^src/projections/registry\\.ts$', [
    kernel,
    sharedProjections,
    '^src/projections/[^/]+/(fold|documents)\\.ts$',
  ]),
  row('projections', '^src/projections/([^/]+)/', [kernel, anyEvents, sharedProjections, '^src/projections/$1/']),
  row('workflows', '^src/workflows/', [kernel, domain, reads, '^src/workflows/']),
  rowWithNode('gateway-shared', sharedGateway, [
    kernel,
    gen,
    wire,
    domain,
    reads,
    sharedProjections,
    sharedGateway,
    '^src/gateway/[^/]+/(rpcs|updates)\\.ts$',
    ...npm('fastify', '@fastify/websocket', 'ws', 'lru-cache', 'pino', 'prom-client', '@opentelemetry/api'),
  ]),
  row('gateway', '^src/gateway/([^/]+)/', [
    kernel,
    gen,
    wire,
    domain,
    reads,
    sharedProjections,
    sharedGateway,
    '^src/gateway/$1/',
  ]),
  row('gen', gen, [gen, wire, ids]),
  row('wire', wire, [wire, gen, ids, ...npm('protobufjs')]),
  // A driver's connection is shared by several ports. Any package here; the rules for drivers below say which file may have which.
  rowWithNode('adapters', '^src/adapters/([^/]+)/', [
    kernel,
    '^src/adapters/$1/',
    driverConnections,
    '(^|/)node_modules/',
  ]),
  rowWithNode('admin', '^src/admin/', [kernel, domain, reads, '^src/admin/', ...npm('fastify', 'zod')]),
  row('client', '^src/client/', [gen, wire, ids, '^src/client/', ...npm('ws')]),
  rowWithNode('config', config, [kernel, ...npm('zod')]),
  rowWithNode('engines', engines, [kernel, config, '^src/adapters/']),
  row('logs', logs, [kernel, engines, '^src/adapters/', '^src/cli/']),
  rowWithNode('entry-points', entryPoints, [
    container,
    logs,
    config,
    kernel,
    gen,
    '^src/main\\.ts$',
    '^src/cli/',
    '^src/client/',
    '^src/projections/',
    ...npm('commander', 'pino'),
  ]),
];

const exclusive = [
  {
    name: 'client-runs-in-browsers',
    comment: 'ws is for Node; the file that brings it in is src/client/node.ts or begins so.',
    severity: 'error',
    from: { path: '^src/client/', pathNot: '^src/client/node[^/]*\\.ts$' },
    to: { path: npm('ws') },
  },
  {
    name: 'container-is-for-entry-points',
    comment: 'What needs a thing asks for it in a plain object.',
    severity: 'error',
    from: { path: '^src/', pathNot: [entryPoints, container] },
    to: { path: container },
  },
  {
    name: 'engines-are-for-the-container',
    comment: 'Everything else knows ports only.',
    severity: 'error',
    from: { path: '^src/', pathNot: [container, logs] },
    to: { path: engines },
  },
  {
    name: 'bench-is-not-for-tests',
    severity: 'error',
    from: { path: '^test/' },
    to: { path: '^bench/' },
  },
  driver('tsyringe', container),
  driver('reflect-metadata', container),
  driver('lmdb', '^src/adapters/.*[lL]mdb'),
  driver('mongodb', '^src/adapters/.*[mM]ongo'),
  driver('ioredis', '^src/adapters/.*[rR]edis'),
  driver('@eventstore/db-client', '^src/adapters/.*[eE]ventStoreDb'),
  driver('@node-rs/argon2', '^src/adapters/.*[aA]rgon2'),
];

const hygiene = [
  {
    name: 'no-cycles',
    comment: 'Two files that need each other are one file, or a third one is missing. Cycles of types count.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-dead-files',
    comment: 'Imported by nobody and importing nothing: delete it. tidy.spec also finds dead files that import.',
    severity: 'error',
    from: { orphan: true, pathNot: ['^src/(main|cli)\\.ts$', '\\.spec\\.ts$', '^bench/[^/]+\\.ts$'] },
    to: {},
  },
  {
    name: 'everything-resolves',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'declared-packages-only',
    comment: 'A package that package.json does not name is there by chance.',
    severity: 'error',
    from: {},
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'no-development-packages-in-src',
    comment: 'They are not there when the server is installed. Types vanish on compiling, so they may be.',
    severity: 'error',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'src-stands-alone',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(test|bench|scripts|web)/' },
  },
  {
    name: 'no-unknown-place',
    comment: 'A file outside of the layers would be outside of the rules.',
    severity: 'error',
    from: {
      path: '^src/',
      pathNot: [
        '^src/(kernel|gen|wire|domain|projections|workflows|gateway|adapters/[^/]+|admin|client|cli|container)/',
        '^src/(main|cli|config|container|engines|logs)\\.ts$',
      ],
    },
    to: {},
  },
];

module.exports = {
  forbidden: [...layers, ...exclusive, ...hygiene],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    skipAnalysisNotInRules: true,
  },
};
