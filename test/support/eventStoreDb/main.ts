import { startStandIn } from './standIn.js';

/**
 * The stand-in as a process of its own: `node dist/test/support/eventStoreDb/main.js [PORT] [LATENCY_MILLIS] [OTHERS]`.
 * Prints its connection string, one line; ends on SIGTERM, SIGINT, and when its standard input does, so that it never
 * outlives who started it. Port 0, the default, takes a free one. With a latency each append and read is answered only
 * so much later, as over a network and by a disk that is slow to sync. So many events of others are there before.
 */
const [port = '0', latencyMillis = '0', others = '0'] = process.argv.slice(2);
const standIn = await startStandIn({
  port: Number(port),
  latencyMillis: Number(latencyMillis),
  others: Number(others),
});

const stop = (): void => {
  standIn.kill();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
process.stdin.resume().once('end', stop).once('error', stop);

console.log(standIn.connectionString);
