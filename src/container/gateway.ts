import type { DependencyContainer } from 'tsyringe';
import { partSeal } from '../adapters/sealer/partSeal.js';
import { systemTimers } from '../adapters/system/timers.js';
import { isServer, isShared, type Config } from '../config.js';
import { directChat } from '../kernel/chat.js';
import { defined } from '../kernel/defined.js';
import { judgeOf, refusedAs } from '../gateway/updates/judge.js';
import { mintedIds } from '../domain/mintedIds.js';
import { isAway } from '../engines.js';
import { gateway, type GatewayBounds, type Live } from '../gateway/gateway.js';
import { handlerTable, prefetchedUsers, updateTable, type UpdateNeeds } from '../gateway/registry.js';
import { fileRemovals } from '../gateway/files/removals.js';
import { fileStore, type FileStore } from '../gateway/files/fileStore.js';
import { health } from '../gateway/operations/health.js';
import { admission, noAdmission, type Admission } from '../gateway/requests/admission.js';
import { limitedReport } from '../gateway/requests/limitedReport.js';
import { signInGuard } from '../gateway/requests/signInGuard.js';
import { signInReport, type SignInFailure } from '../gateway/requests/signInReport.js';
import type { CounterName } from '../gateway/operations/metrics.js';
import { deviceChanges } from '../gateway/access/deviceChanges.js';
import { wordingsIn } from '../gateway/access/wordings.js';
import { unfoldedAppends } from '../gateway/access/unfoldedAppends.js';
import { writeBounds } from '../gateway/requests/writeBounds.js';
import { uniqueNames } from '../gateway/access/uniqueNames.js';
import { statusReader } from '../gateway/presence/presence.js';
import { userFor } from '../gateway/rendering/user.js';
import { rememberedStatuses } from '../gateway/presence/statuses.js';
import { liveUpdateRenderer } from '../gateway/updates/updateRenderer.js';
import type { Access } from '../gateway/contract/viewerPermissions.js';
import type { LinkPreviews } from '../kernel/ports/linkPreviews.js';
import type { FileScanner } from '../kernel/ports/fileScanner.js';
import type { Pictures } from '../kernel/ports/pictures.js';
import type { NodeNumber } from '../kernel/nodeNumber.js';
import { beforeAll, type Position } from '../kernel/event.js';
import type { Follower } from '../gateway/contract/readModels.js';
import type { StoredEvent } from '../kernel/ports/eventLog.js';
import { communityDocuments } from '../projections/communities/fold.js';
import { conversationDocuments } from '../projections/conversations/fold.js';
import { isAnswered } from '../projections/conversations/documents.js';
import { conversation, conversationsOf } from '../projections/conversations/queries.js';
import { membershipsDocuments } from '../projections/members/fold.js';
import { holders } from '../projections/members/queries.js';
import { foldedDocuments } from '../projections/reading/foldedDocuments.js';
import type { Reads } from '../projections/reading/queries.js';
import { unreadReads } from '../projections/unread/unreadReads.js';
import { userDocuments } from '../projections/users/fold.js';
import { user } from '../projections/users/queries.js';
import { registerLinkPreviews } from './linkPreviews.js';
import { registerFileScanner } from './fileScanner.js';
import { registerPictures } from './pictures.js';
import { registerSessionDays } from './sessionDays.js';
import { followedGenerations } from './generations/live.js';
import { foundOnce, of, once, type Get } from './tokens.js';
import { webOf } from './web.js';

/** Parts that tests put in the place of the real ones. */
export type GatewayOverrides = {
  readonly bounds?: GatewayBounds;
  readonly linkPreviews?: LinkPreviews;
  readonly pictures?: Pictures;
  readonly fileScanner?: FileScanner;
};

export const registerGateway = (container: DependencyContainer, given: GatewayOverrides): void => {
  once(container, of.names, (get) => uniqueNames({ streams: get(of.streams), sealer: get(of.sealer) }));
  registerSessionDays(container);
  registerLinkPreviews(container, given.linkPreviews);
  registerPictures(container, given.pictures);
  registerFileScanner(container, given.fileScanner);
  once(container, of.unfolded, (get) => unfoldedAppends(foundOnce(() => get(of.gateway).fanOut)));
  once(container, of.judge, (get) =>
    isServer(get(of.config).eventLog)
      ? judgeOf({ log: get(of.log), codec: get(of.codec), sealer: get(of.sealer) })
      : undefined,
  );
  once(container, of.fileRemovals, (get) => fileRemovals(() => get(of.uptime).now()));
  once(container, of.liveRenderer, liveRendererOf);
  once(container, of.admission, admissionOf);
  once(container, of.health, healthOf);
  registerFiles(container);
  once(container, of.statuses, (get) => rememberedStatuses(statusReader(get(of.presence)), systemTimers));
  once(container, of.gateway, (get) =>
    gateway({
      log: get(of.log),
      codec: get(of.codec),
      sealer: get(of.sealer),
      execute: get(of.execute),
      streams: get(of.streams),
      ids: get(of.ids),
      clock: get(of.clock),
      timers: systemTimers,
      pubSub: get(of.pubSub),
      presence: get(of.presence),
      statuses: get(of.statuses),
      admission: get(of.admission),
      ...get(of.liveRenderer),
      documents: get(of.projections),
      unfolded: get(of.unfolded),
      ...(isShared(get(of.config)) ? {} : { acknowledged: get(of.unfolded).acknowledged }),
      handlers: (live) => handlersOf(get, live),
      isAway,
      ...defined({ judge: get(of.judge) }),
      passed: passedBy(get),
      metrics: get(of.metrics),
      logger: get(of.logger),
      troubled: get(of.outages).failed,
      tracer: get(of.tracer),
      bounds: { ...boundsOf(get(of.config)), ...given.bounds },
    }),
  );
};

const healthOf = (get: Get) =>
  health({
    log: get(of.log),
    clock: get(of.clock),
    fanOut: get(of.gateway).fanOut,
    lag: get(of.gateway).lag,
    projections: get(of.projections),
    search: get(of.search).status,
    own: get(of.own).status,
    generations: () => followedGenerations(get(of.generations)),
    building: get(of.projections).building,
    documents: () => get(of.documents).checkpoint('readiness'),
    nodeNumber: get(of.nodeNumber).held,
    aloneBecause: get(of.engines).ephemeral.trouble,
  });

/** Requests over a WebSocket and over plain HTTP share them. */
const registerFiles = (container: DependencyContainer): void => {
  once(container, of.signInReport, signInReportOf);
  once(container, of.guard, guardOf);
  once(container, of.files, filesOf);
  once(container, of.web, webOf);
};

const admissionOf = (get: Get): Admission => {
  const { rateLimits, writtenBytesPerUserAndDay } = get(of.config);
  const writes = writeBounds({
    timers: systemTimers,
    disk: get(of.freeDisk),
    writtenBytesPerUserMax: writtenBytesPerUserAndDay,
    reached: get(of.metrics).reached,
  });
  if (!rateLimits) return noAdmission(writes);
  const [logger, sealer] = [get(of.logger), get(of.sealer)];
  const limited = limitedReport({
    timers: systemTimers,
    count: get(of.metrics).limited,
    warn: (details, message) => {
      logger.warn(details, message);
    },
    hidden: (address) => sealer.lookupHash(address),
  });
  return admission({ timers: systemTimers, shared: get(of.rateLimit), limited, writes, followed: followedHere(get) });
};

/** On a node that shares the log, others may fold the read models. */
const followedHere = (get: Get): ((position: Position) => Promise<unknown> | undefined) => {
  const followers = foundOnce((): readonly Pick<Follower, 'reached'>[] => {
    const { fanOut } = get(of.gateway);
    return isShared(get(of.config)) ? [fanOut] : [fanOut, get(of.projections).folded];
  });
  return (position) => {
    const behind = followers().flatMap((follower) => follower.reached(position) ?? []);
    return behind.length === 0 ? undefined : Promise.allSettled(behind);
  };
};

/** Without rate limits those on connections of somebody are lifted as well, and those on memory stay. */
const boundsOf = (config: Config): GatewayBounds => {
  const unlessLifted = (max: number): number => (config.rateLimits ? max : Infinity);
  return {
    signedOutPerAddressMax: unlessLifted(config.signedOutPerAddress),
    connectionsPerSessionMax: unlessLifted(config.connectionsPerSession),
    connectionsPerUserMax: unlessLifted(config.connectionsPerUser),
    connectionsMax: config.connectionsMax,
    waitingBytesMax: config.waitingBytesMax,
    waitingBytesPerUserMax: config.waitingBytesPerUser,
    receivedBytesMax: config.receivedBytesMax,
    receivedBytesPerConnectionMax: config.receivedBytesPerConnection,
  };
};

/** A user's presence is sent to so many of those with whom they talked last. */
const peersMax = 500;

const liveRendererOf = (get: Get): ReturnType<typeof liveUpdateRenderer> => {
  const reads = { store: get(of.reads) };
  const statusOf = statusReader(get(of.presence));
  const load: Access['load'] = (community, users) => live.access.load(community, users);
  const judge = get(of.judge);
  const live: ReturnType<typeof liveUpdateRenderer> = liveUpdateRenderer({
    ...(judge && { isRefused: refusedAs(judge) }),
    log: get(of.log),
    codec: get(of.codec),
    sealer: get(of.sealer),
    documents: get(of.reads),
    readModels: get(of.projections),
    unfolded: get(of.unfolded),
    passedUpTo: passedUpTo(foundOnce(() => get(of.gateway).fanOut)),
    types: {
      communities: communityDocuments,
      memberships: membershipsDocuments,
      users: userDocuments,
      conversations: conversationDocuments,
    },
    unread: unreadReads(reads),
    peersOf: async (id, which) => {
      const page = { limit: peersMax, ...(which === 'answered' ? { only: which } : {}) };
      return (await conversationsOf(reads, id, page)).flatMap(({ members }) => members);
    },
    hasWrittenTo: hasWrittenToOf(get),
    updates: updateTable({
      statusOf,
      rememberedStatusOf: get(of.statuses).of,
      load,
      holders: holdersAsOf(get),
      reads,
      readModels: get(of.projections),
    }),
    prefetched: prefetchedUsers,
  });
  return live;
};

/** Before the fan-out has begun at the end of the log nothing is passed. */
const passedUpTo = (fanOut: () => Follower) => (): Position | undefined => {
  const position = fanOut().position();
  return position === beforeAll ? undefined : position;
};

const hasWrittenToOf =
  (get: Get): Access['hasWrittenTo'] =>
  async (author, other) => {
    const store = get(of.opened)(foldedDocuments(get(of.documents), get(of.projections).peek));
    const found = await conversation({ store }, directChat(author, other));
    return found !== undefined && (found.begunBy === author || isAnswered(found));
  };

const guardOf = (get: Get) =>
  signInGuard({
    ...(get(of.config).rateLimits ? { rateLimit: get(of.rateLimit) } : {}),
    hasher: get(of.hasher),
    sealer: get(of.sealer),
    report: get(of.signInReport),
  });

const failureCounters = {
  wrongPasswords: 'wrong_passwords',
  refusedTokens: 'refused_tokens',
  limited: 'limited_sign_ins',
} as const satisfies Readonly<Record<SignInFailure, CounterName>>;

const signInReportOf = (get: Get) =>
  signInReport({
    log: (details, message) => {
      get(of.logger).info(details, message);
    },
    count: (failure) => {
      get(of.metrics).count(failureCounters[failure], 1);
    },
    keyed: (text) => get(of.sealer).lookupHash(text),
    timers: systemTimers,
  });

const holdersAsOf =
  (get: Get): UpdateNeeds['holders'] =>
  async (role, asOf, limit) => {
    await get(of.projections).reached(asOf, ['members']);
    return (await holders({ store: get(of.reads) }, role, { limit })).map(({ user: holder }) => holder);
  };

const handlersOf = (get: Get, { presences, typing, interactions }: Live) => {
  const reads = readsByKey(get);
  const statusOf = statusReader(get(of.presence));
  return handlerTable({
    ids: get(of.ids),
    random: get(of.random),
    vault: get(of.vault),
    commonPasswords: get(of.commonPasswords),
    guard: get(of.guard),
    names: get(of.names),
    sealer: get(of.sealer),
    streams: get(of.streams),
    presence: get(of.presence),
    files: get(of.files),
    devices: deviceChanges({
      execute: get(of.execute),
      ids: get(of.ids),
      timers: systemTimers,
      failed: (err) => {
        get(of.logger).warn({ err }, 'the device of a session was not written');
      },
    }),
    uses: get(of.sessionUses),
    today: get(of.days).today,
    wordings: wordingsIn({ log: get(of.log), codec: get(of.codec), sealer: get(of.sealer) }),
    access: get(of.liveRenderer).access,
    changeStatus: presences.changeStatus,
    userFor: async (id) => {
      const [found, [status]] = await Promise.all([user(reads, id), statusOf([id])]);
      return found && userFor(found, status);
    },
    reads,
    search: get(of.search),
    statusOf,
    typing,
    interactions,
    linkPreviews: get(of.linkPreviews),
  });
};

/** Documents as requests read them by key. */
const readsByKey = (get: Get): Reads => ({
  store: get(of.opened)(foldedDocuments(get(of.documents), get(of.projections).peek)),
});

const filesOf = (get: Get): FileStore => {
  const { fileBytesMax, uploadedBytesPerUserAndDay: uploadedBytesPerDayMax } = get(of.config);
  return fileStore({
    access: get(of.liveRenderer).access,
    blobs: get(of.blobs),
    clock: get(of.clock),
    execute: get(of.execute),
    ids: get(of.ids),
    uptime: get(of.uptime),
    pictures: get(of.pictures),
    ...defined({ scanner: get(of.fileScanner) }),
    reads: readsByKey(get),
    seal: partSeal(get(of.random)),
    sealer: get(of.sealer),
    streams: get(of.streams),
    fileBytesMax,
    uploadedBytesPerDayMax,
    hasRoom: get(of.fileDisk).mayBuild,
    damaged: (details) => {
      get(of.logger).error(details, 'a stored part of a file is damaged or missing');
    },
  });
};

const passedBy = (get: Get): ((stored: StoredEvent) => void) => {
  const noteIds = newerThanLogged(get(of.nodeNumber));
  const judge = get(of.judge);
  return (stored) => {
    noteIds(stored);
    judge?.passed(stored);
  };
};

/** An answer comes after what it answers, whichever node made either and however far their clocks are apart. */
const newerThanLogged =
  ({ saw }: NodeNumber) =>
  (stored: StoredEvent): void => {
    for (const id of mintedIds(stored)) saw(id);
  };
