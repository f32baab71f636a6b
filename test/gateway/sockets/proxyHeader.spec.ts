import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxyHeaderBytesMax, proxyHeaderIn } from '../../../src/gateway/sockets/proxyHeader.js';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A header of the second version, whose length may be another than that of what follows. */
const binary = (command: number, family: number, rest: Buffer, length = rest.length): Buffer =>
  Buffer.concat([signature, Buffer.from([command, family, length >> 8, length & 255]), rest]);

const ipv4 = Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0, 80, 0, 81]);
const ipv6 = Buffer.concat([Buffer.from('20010db8000000010000000000000009', 'hex'), Buffer.alloc(20)]);
const found = (head: Buffer, client: string | undefined) => ({ status: 'found', bytes: head.length, client });

describe('the header of the PROXY protocol', () => {
  const lines: Readonly<Record<string, string | undefined>> = {
    'PROXY TCP4 203.0.113.9 10.0.0.1 5000 8080\r\n': '203.0.113.9',
    'PROXY TCP6 2001:db8::9 ::1 5000 8080\r\n': '2001:db8::9',
    'PROXY UNKNOWN\r\n': undefined,
    'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n': undefined,
  };
  for (const [line, client] of Object.entries(lines)) {
    it(`is found as text: ${line.trim()}`, () => {
      const head = Buffer.from(line);
      assert.deepEqual(proxyHeaderIn(Buffer.concat([head, Buffer.from('GET /')])), found(head, client));
    });
  }

  it('is found as bytes, with values behind the addresses, and of the proxy itself', () => {
    for (const [head, client] of [
      [binary(0x21, 0x11, ipv4), '203.0.113.9'],
      [binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(9)])), '203.0.113.9'],
      [binary(0x21, 0x21, ipv6), '2001:db8:0:1:0:0:0:9'],
      [binary(0x20, 0x00, Buffer.alloc(0)), undefined],
      [binary(0x20, 0x11, ipv4), undefined],
      [binary(0x21, 0x31, Buffer.alloc(216)), undefined],
    ] as const) {
      assert.deepEqual(proxyHeaderIn(Buffer.concat([head, Buffer.from('GET /')])), found(head, client));
    }
  });

  it('is waited for as long as it can still be one, byte by byte', () => {
    for (const head of [Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 5000 8080\r\n'), binary(0x21, 0x21, ipv6)]) {
      for (let bytes = 0; bytes < head.length; bytes += 1) {
        assert.equal(proxyHeaderIn(head.subarray(0, bytes)).status, 'incomplete', bytes.toString());
      }
    }
  });

  it('is none in any other beginning', () => {
    for (const head of ['GET / HTTP/1.1\r\n', 'PROPFIND /', 'PUT /', '\r\nGET /', '\x16\x03\x01']) {
      assert.equal(proxyHeaderIn(Buffer.from(head, 'latin1')).status, 'none', head);
    }
  });

  it('is malformed beyond its bound, and in any form that is not known', () => {
    const malformed: readonly Buffer[] = [
      Buffer.from(`PROXY TCP4 ${'1'.repeat(120)}`),
      Buffer.from('PROXY TCP4 2001:db8::9 ::1 1 2\r\n'),
      Buffer.from('PROXY TCP4 203.0.113.9\r\n'),
      Buffer.from('PROXY UDP4 203.0.113.9 10.0.0.1 1 2\r\n'),
      Buffer.from('PROXY toString 203.0.113.9 10.0.0.1 1 2\r\n'),
      Buffer.from('PROXY \r\n'),
      binary(0x31, 0x11, ipv4),
      binary(0x22, 0x11, ipv4),
      binary(0x21, 0x11, ipv4.subarray(0, 8)),
      binary(0x21, 0x11, ipv4, proxyHeaderBytesMax),
    ];
    for (const head of malformed) assert.equal(proxyHeaderIn(head).status, 'malformed', head.toString('latin1'));
  });
});
