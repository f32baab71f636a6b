import type { DependencyContainer } from 'tsyringe';
import { scopeKeyName } from '../adapters/sealer/keyNames.js';
import { systemTimers } from '../adapters/system/timers.js';
import { dayCount } from '../gateway/access/dayCount.js';
import { hourlyLook } from '../gateway/access/hourlyLook.js';
import { reportKeys } from '../gateway/access/reportKeys.js';
import { sessionUses } from '../gateway/access/sessionUses.js';
import { raised, whileHeld } from '../kernel/tenure.js';
import { alarms } from './logging.js';
import { of, once, type Get } from './tokens.js';

export const registerSessionDays = (container: DependencyContainer): void => {
  once(container, of.days, (get) =>
    dayCount({
      execute: get(of.execute),
      streams: get(of.streams),
      ids: get(of.ids),
      clock: get(of.clock),
      uptime: get(of.uptime),
    }),
  );
  once(container, of.sessionUses, (get) =>
    sessionUses({
      execute: get(of.execute),
      streams: get(of.streams),
      ids: get(of.ids),
      reads: { store: get(of.reads) },
      today: get(of.days).today,
      failed: failedBy(get, 'the use of a session was not written'),
    }),
  );
};

/** The lease of the node that counts the days and ends sessions. */
const lease = 'sessionDays';

/** Before anybody comes in: sessions that are opened say the day. */
export const startSessionDays = async (get: Get): Promise<{ readonly close: () => Promise<void> }> => {
  const days = get(of.days);
  await days.look();
  await days.begin().catch(failedBy(get, 'the count of days was not begun'));
  const looks = hourlyLook({
    days,
    uses: get(of.sessionUses),
    reportKeys: reportKeys({
      vault: get(of.vault),
      reads: { store: get(of.reads) },
      execute: get(of.execute),
      keyOf: scopeKeyName,
      today: days.today,
    }),
    timers: systemTimers,
    connected: get(of.gateway).hub.sessions,
    failed: failedBy(get, 'sessions that nobody uses were not looked for'),
  });
  const { ephemeral } = get(of.engines);
  const needs = { leases: get(of.leases), timers: systemTimers, uptime: get(of.uptime), pubSub: ephemeral.pubSub };
  const onTrouble = (error: unknown): void => {
    alarms(get)('the days of sessions are not counted for now')({ error });
  };
  const tenancy = await whileHeld(lease, { ...needs, onTrouble }, async ({ signal }) => {
    await looks.lead();
    await raised(signal);
    looks.follow();
  });
  return {
    close: async () => {
      await looks.close();
      await tenancy.close();
    },
  };
};

const failedBy =
  (get: Get, message: string) =>
  (err: unknown): void => {
    get(of.logger).warn({ err }, message);
  };
