// Who may import whom: the table of docs/architecture.md, one rule for each of its rows. Whatever a row does not name is
// refused. Types count as imports too.

const kernel = '^src/kernel/';
const ids = '^src/kernel/ids\\.ts$';
/** Pauses and deadlines, which the client's reconnecting needs too. */
const timing = '^src/kernel/timing\\.ts$';
const gen = '^src/gen/';
const wire = '^src/wire/';
const domain = '^src/domain/';
const anyEvents = '^src/domain/[^/]+/events\\.ts$';
// Schemas of values that the events of several packages hold.
const botInfo = '^src/domain/messages/botInfo\\.ts$';
/** The rooms of src/projections that belong to no aggregate. */
const projectionRooms = '^src/projections/(runner|progress|reading|sealing)/';
const reads = '^src/projections/[^/]+/(queries|documents)\\.ts$';
const projectionRegistry = '^src/projections/registry\\.ts$';
/** The rooms of src/gateway; each row below says which rooms a room may use. */
const room = (...names) => `^src/gateway/(${names.join('|')})/`;
/** The table says which requests a client may repeat; it imports the names of the RPCs and nothing else. */
const rpcPolicy = '^src/gateway/contract/rpcPolicy\\.ts$';
const config = '^src/config\\.ts$';
const entryPoints = '^src/((main|cli)\\.ts$|cli/)';
const container = '^src/container(\\.ts$|/)';
const engines = '^src/engines\\.ts$';
/** Opens a log alone, for the tools. */
const logs = '^src/logs\\.ts$';
/** Which variable and file are at fault. */
const startFailure = '^src/startFailure\\.ts$';
/** Waits for an engine that cannot be reached yet. */
const engineStart = '^src/engineStart\\.ts$';
/** A driver's connection, and what is true of files below the data folder: several ports share these. */
const driverConnections = '^src/adapters/(redis|mongo|dataFolder)/';

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

/** Session tokens are made and compared with Node's cryptography. */
const tokens = '^src/gateway/packages/auth/tokens\\.ts$';
/** The operator finds accounts and gives passwords as sign-ins do. */
const signInNames = '^src/gateway/packages/auth/(emailAddress|passwordName)\\.ts$';
const fold = '^src/projections/[^/]+/fold\\.ts$';
const progress = '^src/projections/progress/';
const readSide = [reads, '^src/projections/(reading|unread)/', projectionRegistry];
const telemetry = npm('pino', 'prom-client', '@opentelemetry/api');

/** One row for each room of the gateway. A room that no row names may import nothing. */
const gatewayRows = [
  row('gateway-rpc-policy', rpcPolicy, [gen]),
  row('gateway-contract', room('contract'), [kernel, gen, domain, ...readSide, progress, room('contract')]),
  rowWithNode('gateway-sockets', room('sockets'), [
    kernel,
    gen,
    wire,
    room('sockets', 'requests', 'sessions', 'frames', 'operations', 'contract'),
    ...npm('fastify', '@fastify/websocket', 'ws', 'pino'),
  ]),
  row('gateway-requests', room('requests'), [
    kernel,
    gen,
    wire,
    domain,
    ...readSide,
    room('requests', 'sessions', 'frames', 'contract'),
    ...telemetry,
  ]),
  row('gateway-access', room('access'), [kernel, gen, domain, ...readSide, fold, room('access', 'contract')]),
  row('gateway-files', room('files'), [
    kernel,
    domain,
    ...readSide,
    room('files', 'access', 'contract'),
    ...npm('p-limit'),
  ]),
  // Files and pages over plain HTTP: requests that do not come over a WebSocket, and are bounded as those that do.
  rowWithNode('gateway-http', room('http'), [
    kernel,
    domain,
    room('http', 'files', 'access', 'requests', 'sessions', 'sockets', 'contract'),
    tokens,
    ...npm('fastify', 'pino', '@opentelemetry/api'),
  ]),
  rowWithNode('gateway-tokens', tokens, [kernel]),
  {
    ...row('gateway-packages', '^src/gateway/packages/([^/]+)/', [
      kernel,
      gen,
      wire,
      domain,
      ...readSide,
      // An update names the type of the document that it is rendered from.
      fold,
      room('contract', 'access', 'files', 'rendering', 'presence'),
      '^src/gateway/packages/$1/',
      // The number of memberships is bounded where somebody joins, and invites let people join.
      '^src/gateway/packages/communities/membershipsLimit\\.ts$',
      ...npm('emoji-regex', 'tr46', 'validator'),
    ]),
    from: { path: '^src/gateway/packages/([^/]+)/', pathNot: tokens },
  },
  row('gateway-updates', room('updates'), [
    kernel,
    gen,
    domain,
    ...readSide,
    fold,
    progress,
    room('updates', 'access', 'sessions', 'requests', 'contract'),
    ...npm('pino'),
  ]),
  row('gateway-rendering', room('rendering'), [kernel, gen, wire, domain, ...readSide, room('rendering', 'contract')]),
  row('gateway-presence', room('presence'), [
    kernel,
    gen,
    wire,
    domain,
    ...readSide,
    room('presence', 'rendering', 'sessions', 'contract'),
    ...npm('p-limit'),
  ]),
  row('gateway-sessions', room('sessions'), [
    kernel,
    gen,
    wire,
    room('sessions', 'frames', 'contract'),
    ...npm('p-limit'),
  ]),
  rowWithNode('gateway-frames', room('frames'), [kernel, gen, wire, room('frames')]),
  rowWithNode('gateway-operations', room('operations'), [
    kernel,
    '^src/projections/(runner|progress)/',
    room('operations', 'updates'),
    ...telemetry,
  ]),
  row('gateway-root', '^src/gateway/[^/]+\\.ts$', [
    kernel,
    gen,
    wire,
    domain,
    ...readSide,
    '^src/gateway/',
    ...telemetry,
  ]),
];

const layers = [
  row('kernel', kernel, [kernel, ...npm('lru-cache')]),
  row('domain-registry', '^src/domain/[^/]+\\.ts$', [kernel, anyEvents, '^src/domain/registry\\.ts$']),
  row('domain', '^src/domain/([^/]+)/', [kernel, anyEvents, botInfo, '^src/domain/$1/']),
  row('projections-runner', '^src/projections/(runner|progress)/', [kernel, projectionRegistry, projectionRooms]),
  row('projections-sealing', '^src/projections/sealing/', [kernel, '^src/projections/sealing/']),
  row('projections-reading', '^src/projections/reading/', [kernel, '^src/projections/(reading|sealing)/']),
  row('projections-unread', '^src/projections/unread/', [
    // Unread messages are counted from the documents of several aggregates.
    kernel,
    '^src/projections/(unread|reading)/',
    '^src/projections/[^/]+/(queries|documents|fold|countKey)\\.ts$',
    // What the overrides of a channel do to the sight of it.
    '^src/projections/communities/roleSight\\.ts$',
  ]),
  rowWithNode('projections-search', '^src/projections/search/', [
    // It follows the log by itself, because it opens what others carry sealed.
    kernel,
    anyEvents,
    '^src/projections/(search|progress)/',
    '^src/projections/runner/(runner|follower|retrying)\\.ts$',
  ]),
  // The types for authors of modules stand alone; the rest folds through the runner.
  row('projections-own', '^src/projections/own/', [kernel, '^src/projections/(own|runner|progress)/']),
  row('projections-registry', projectionRegistry, [
    kernel,
    projectionRooms,
    '^src/projections/[^/]+/(fold|documents)\\.ts$',
  ]),
  row('projections-states', '^src/projections/states/', [
    kernel,
    anyEvents,
    // Snapshots are the states of the rules, folded by the same lines.
    '^src/domain/[^/]+/(state|structure|channelTree)\\.ts$',
  ]),
  {
    ...row('projections', '^src/projections/([^/]+)/', [
      kernel,
      anyEvents,
      // Where the document does not differ from the state, both are folded by the same lines.
      '^src/domain/$1/(structure|channelTree)\\.ts$',
      '^src/projections/runner/foldHelpers\\.ts$',
      '^src/projections/reading/',
      '^src/projections/$1/',
    ]),
    from: {
      path: '^src/projections/([^/]+)/',
      pathNot: '^src/projections/(runner|progress|reading|search|sealing|unread|states|own)/',
    },
  },
  row('workflows', '^src/workflows/', [kernel, domain, reads, '^src/workflows/']),
  ...gatewayRows,
  row('gen', gen, [gen, wire, ids]),
  row('wire', wire, [wire, gen, ids, ...npm('protobufjs')]),
  // A driver's connection is shared by several ports. Any package here; the rules for drivers below say which file may have which.
  rowWithNode('adapters', '^src/adapters/([^/]+)/', [
    kernel,
    '^src/adapters/$1/',
    driverConnections,
    '(^|/)node_modules/',
  ]),
  rowWithNode('admin', '^src/admin/', [kernel, domain, reads, room('operations'), '^src/admin/']),
  row('client', '^src/client/', [gen, wire, ids, timing, rpcPolicy, '^src/client/', ...npm('ws')]),
  rowWithNode('config', config, [kernel, ...npm('zod')]),
  rowWithNode('engines', engines, [kernel, config, startFailure, engineStart, '^src/adapters/']),
  row('engine-start', engineStart, [kernel, config, startFailure, '^src/adapters/knock/']),
  row('start-failure', startFailure, [config]),
  row('logs', logs, [kernel, engines, '^src/adapters/', '^src/admin/logPlace\\.ts$']),
  rowWithNode('entry-points', entryPoints, [
    container,
    logs,
    config,
    kernel,
    gen,
    '^src/main\\.ts$',
    '^src/admin/',
    '^src/cli/',
    '^src/client/',
    '^src/projections/',
    ...npm('commander', 'pino'),
  ]),
];

const exclusive = [
  {
    name: 'folds-leave-personal-values-closed',
    comment: 'A fold takes sealed and open values alike, so neither it nor a file that it uses may open one.',
    severity: 'error',
    from: {
      path: ['^src/domain/[^/]+/(events|state)\\.ts$', '^src/projections/[^/]+/(documents|fold|channels)\\.ts$'],
    },
    to: { path: '^src/kernel/opened\\.ts$', reachable: true },
  },
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
    name: 'packages-are-for-the-registry',
    comment:
      'A package is named in one line of src/gateway/registry.ts, and whatever else needs it takes it from there. The operator makes tokens and passwords as sign-ups do.',
    severity: 'error',
    from: { path: '^src/', pathNot: ['^src/gateway/packages/', '^src/gateway/registry\\.ts$'] },
    to: { path: '^src/gateway/packages/', pathNot: [tokens, signInNames] },
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
  driver('@aws-sdk/client-s3', '^src/adapters/.*[sS]3'),
  driver('ioredis', '^src/adapters/.*[rR]edis'),
  driver('@eventstore/db-client', '^src/adapters/.*[eE]ventStoreDb'),
  driver('emoji-regex', '^src/gateway/packages/reactions/emoji\\.ts$'),
  driver('@node-rs/argon2', '^src/adapters/.*[aA]rgon2'),
  driver('@zxcvbn-ts/language-common', '^src/adapters/system/commonPasswords\\.ts$'),
  driver('htmlparser2', '^src/adapters/linkPreviews/pageDescription\\.ts$'),
  driver('linkify-it', '^src/adapters/linkPreviews/firstLink\\.ts$'),
  driver('sharp', '^src/adapters/.*[sS]harp'),
  driver('thumbhash', '^src/adapters/pictures/thumb\\.ts$'),
  driver('tr46', '/emailAddress\\.ts$'),
  driver('validator', '/emailAddress\\.ts$'),
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
        '^src/(main|cli|config|container|engines|engineStart|logs|startFailure)\\.ts$',
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
