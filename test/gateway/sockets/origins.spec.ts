import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isLoopbackAddress,
  mayAsk,
  mayConnect,
  refusalReport,
  refusalReportMillisMin,
  shownHeaderUnitsMax,
} from '../../../src/gateway/sockets/origins.js';

type Row = readonly [origin: string | undefined, hosts: readonly string[], may: 'may' | 'may not'];

const onNetwork = { origins: [], onLoopback: false };
const onLoopback = { origins: [], onLoopback: true };

const connecting = (rules: Parameters<typeof mayConnect>[0], rows: readonly Row[]): void => {
  for (const [origin, hosts, may] of rows) {
    assert.equal(mayConnect(rules, { origin, hosts }), may === 'may', `${String(origin)} at ${hosts.join()}`);
  }
};
const asking = (
  rules: Parameters<typeof mayAsk>[0],
  rows: readonly (readonly [string[], 'may' | 'may not'])[],
): void => {
  for (const [hosts, may] of rows) assert.equal(mayAsk(rules, hosts), may === 'may', hosts.join());
};

describe('a WebSocket', () => {
  it('without an origin may be opened under any host', () => {
    for (const rules of [onNetwork, onLoopback]) {
      connecting(rules, [
        [undefined, ['127.0.0.1:8080'], 'may'],
        [undefined, ['rebound.example'], 'may'],
        [undefined, ['a', 'b'], 'may'],
        [undefined, [], 'may'],
      ]);
    }
  });

  it('may be opened by a page of the same host and port', () => {
    connecting(onNetwork, [
      ['http://a', ['a'], 'may'],
      ['http://a', ['a:80'], 'may'],
      ['https://chat.example', ['chat.example'], 'may'],
      ['https://chat.example', ['chat.example:443'], 'may'],
      ['https://chat.example:8443', ['chat.example:8443'], 'may'],
      ['https://Chat.Example', ['CHAT.example.'], 'may'],
      ['http://[2001:db8::1]:8080', ['[2001:DB8:0::1]:8080'], 'may'],
    ]);
  });

  it('may not be opened by any other page', () => {
    connecting(onNetwork, [
      ['https://evil.example', ['chat.example'], 'may not'],
      ['https://chat.example.evil.example', ['chat.example'], 'may not'],
      ['https://evil-chat.example', ['chat.example'], 'may not'],
      ['http://chat.example', ['chat.example:8080'], 'may not'],
      ['http://chat.example', ['chat.example:443'], 'may not'],
      ['https://chat.example', ['chat.example:80'], 'may not'],
      ['null', ['chat.example'], 'may not'],
      ['app://chat.example', ['chat.example'], 'may not'],
      ['', [''], 'may not'],
      ['http://', [''], 'may not'],
      ['https://chat.example, https://chat.example', ['chat.example'], 'may not'],
    ]);
  });

  it('may not be opened by a page when its host is missing, doubled or misshapen', () => {
    connecting(onNetwork, [
      ['http://a', [], 'may not'],
      ['http://a', ['a', 'a'], 'may not'],
      ['http://a', ['a, a'], 'may not'],
      ['http://a', ['user@a'], 'may not'],
      ['http://user@a', ['a'], 'may not'],
      ['http://a', ['a/'], 'may not'],
      ['http://a/', ['a'], 'may not'],
      ['http://a', ['a?b'], 'may not'],
      ['http://a', ['a:'], 'may not'],
      ['http://a:99999', ['a:99999'], 'may not'],
      ['http://a%2e', ['a%2e'], 'may not'],
      ['http://[::1', ['[::1'], 'may not'],
      ['http://1.2.3.4.5', ['1.2.3.4.5'], 'may not'],
      ['http://\u00e4', ['\u00e4'], 'may not'],
    ]);
  });

  it('on a loopback address may be opened by its own pages alone', () => {
    connecting(onLoopback, [
      ['http://localhost:8080', ['localhost:8080'], 'may'],
      ['http://127.0.0.1:8080', ['127.0.0.1:8080'], 'may'],
      ['http://127.8.9.10', ['127.8.9.10'], 'may'],
      ['http://[::1]:8080', ['[::1]:8080'], 'may'],
      ['http://LOCALHOST:8080', ['localhost.:8080'], 'may'],
      ['https://localhost', ['localhost'], 'may'],
      ['http://localhost:3000', ['localhost:8080'], 'may not'],
      ['http://localhost:8080', ['127.0.0.1:8080'], 'may not'],
      ['http://rebound.evil.example', ['rebound.evil.example'], 'may not'],
      ['http://127.0.0.1.evil.example', ['127.0.0.1.evil.example'], 'may not'],
      ['http://localhost.evil.example', ['localhost.evil.example'], 'may not'],
      ['http://evil.localhost', ['evil.localhost'], 'may not'],
      ['http://0.0.0.0:8080', ['0.0.0.0:8080'], 'may not'],
      ['http://192.168.1.2', ['192.168.1.2'], 'may not'],
    ]);
  });

  it('may be opened under any host by a page whose origin is listed, and by no other stranger', () => {
    const origins = ['https://chat.example', 'app://osmium', 'null'];
    for (const onLoopback of [true, false]) {
      connecting({ origins, onLoopback }, [
        ['https://chat.example', ['127.0.0.1:8080'], 'may'],
        ['https://chat.example', ['chat.example'], 'may'],
        ['https://chat.example', [], 'may'],
        ['app://osmium', ['chat.example'], 'may'],
        ['null', ['chat.example'], 'may'],
        ['http://chat.example', ['127.0.0.1:8080'], 'may not'],
        ['https://chat.example:8443', ['127.0.0.1:8080'], 'may not'],
        ['https://evil.example', ['chat.example'], 'may not'],
        ['app://other', ['chat.example'], 'may not'],
        ['*', ['chat.example'], 'may not'],
        ['http://127.0.0.1:8080', ['127.0.0.1:8080'], 'may'],
      ]);
    }
  });

  it('may be opened by everybody where all origins are listed', () => {
    connecting({ origins: ['*'], onLoopback: true }, [
      ['https://evil.example', ['rebound.evil.example'], 'may'],
      ['null', ['127.0.0.1:8080'], 'may'],
      ['not an origin', [], 'may'],
    ]);
  });
});

describe('another request', () => {
  it('may be asked under any host where others than this machine can ask', () => {
    asking(onNetwork, [
      [['chat.example'], 'may'],
      [['10.0.0.1:8080'], 'may'],
      [[], 'may'],
      [['a', 'b'], 'may'],
    ]);
  });

  it('may be asked of a loopback address under no name that can be pointed at it', () => {
    asking(onLoopback, [
      [['localhost'], 'may'],
      [['LocalHost.:9'], 'may'],
      [['127.0.0.1:8080'], 'may'],
      [['127.1.2.3'], 'may'],
      [['[::1]:8080'], 'may'],
      [['rebound.evil.example'], 'may not'],
      [['rebound.evil.example:8080'], 'may not'],
      [['128.0.0.1'], 'may not'],
      [['[::2]'], 'may not'],
      [['me@localhost'], 'may not'],
      [['localhost', 'localhost'], 'may not'],
      [['localhost:x'], 'may not'],
      [[], 'may not'],
      [[''], 'may not'],
    ]);
  });

  it('may be asked of a loopback address under the host of a listed origin, as a proxy passes it on', () => {
    const rules = { origins: ['https://chat.example', 'app://osmium', 'null', '*'], onLoopback: true };
    asking(rules, [
      [['chat.example'], 'may'],
      [['chat.example:443'], 'may'],
      [['chat.example:80'], 'may not'],
      [['osmium'], 'may not'],
      [['evil.example'], 'may not'],
    ]);
  });
});

describe('a loopback address', () => {
  it('is one of 127.0.0.0/8, ::1, or the former in the form of IPv6', () => {
    const addresses = ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::', '10.0.0.1', 'fe80::1'];
    assert.deepEqual(addresses.filter(isLoopbackAddress), addresses.slice(0, 4));
  });
});

describe('refused requests', () => {
  const reporting = () => {
    const lines: object[] = [];
    const clock = { at: 0 };
    const report = refusalReport({ warn: (details) => lines.push(details), now: () => clock.at });
    return { lines, clock, report };
  };

  it('are reported once a minute at most, with their number', () => {
    const { lines, clock, report } = reporting();
    const headers = { origin: 'https://evil.example', hosts: ['localhost'] };
    for (clock.at of [0, 1, refusalReportMillisMin - 1, refusalReportMillisMin, refusalReportMillisMin + 1]) {
      report(headers);
    }
    const line = { origin: 'https://evil.example', host: 'localhost' };
    assert.deepEqual(lines, [
      { ...line, refused: 1 },
      { ...line, refused: 3 },
    ]);
  });

  it('are reported in few and harmless characters', () => {
    const { lines, report } = reporting();
    report({ origin: `\u009b31m${'o'.repeat(20_000)}`, hosts: ['a\tb', 'c'] });
    const origin = `?31m${'o'.repeat(shownHeaderUnitsMax - 4)}`;
    assert.deepEqual(lines, [{ origin, host: 'a?b, c', refused: 1 }]);
  });
});
