import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hostOf, linkFault } from '../../../src/gateway/rendering/links.js';

const ideographs = (units: number): string => '\u6587'.repeat(units);

describe('a link', () => {
  it('is of http, https or mail, in any spelling that is parsed as one', () => {
    for (const url of [
      'https://example.org/',
      'HTTP:example.org',
      ' \u0000https:/\\example.org:8080/a?b#c \u001f',
      'ht\ntps:\t//exa\rmple.org',
      'https://ada:secret@love@example.org',
      'http://[::1]:80/',
      'http://\u6587.example/',
      'mailto:ada@example.org',
    ])
      assert.equal(linkFault(url), undefined, JSON.stringify(url));
  });

  it('is nothing else', () => {
    for (const url of ['', 'example', 'javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x', 'ftp://x/'])
      assert.equal(linkFault(url), 'not a link', JSON.stringify(url));
    for (const url of ['http:', 'https://a b/', 'https://a:b/', 'http://[::1', 'http://a@/'])
      assert.equal(linkFault(url), 'not a link', JSON.stringify(url));
  });

  it('has a host of labels of 63 units at most, where a byte in a code counts as one', () => {
    const [label, encoded] = ['\u6587'.repeat(63), '%e6%96%87'.repeat(21)];
    for (const dot of ['.', '\u3002', '\uff0e', '\uff61'])
      assert.equal(linkFault(`http://a:b@${label}${dot}${label}:80/`), undefined, dot);
    assert.equal(linkFault(`http://${encoded}/`), undefined);
    for (const long of [`${label}x`, `${encoded}x`, `a.${label}x.b`])
      assert.equal(linkFault(`http://${long}/`), 'long host', long);
  });

  it('has a host of 253 units at most', () => {
    const longest = ['x'.repeat(63), 'x'.repeat(63), 'x'.repeat(63), 'x'.repeat(61)].join('.');
    for (const url of [`http://${longest}`, `https:\\\\a@${longest}:443/${longest}`, `mailto:${longest}@example.org`])
      assert.equal(linkFault(url), undefined, url);
    for (const url of [`http://${longest}x`, `https:\\\\a@${longest}x:443/`])
      assert.equal(linkFault(url), 'long host', url);
  });
});

describe('the host of a link', () => {
  it('is found wherever the parser looks for it', () => {
    const host = ideographs(1_000);
    for (const url of [
      `http://${host}`,
      `http:${host}/`,
      `http:\\/\\${host}\\x`,
      `\u001f \n https:/${host}:80?x@y`,
      `h\tttps:\r//a:b@c@${host}#x@y`,
      `http://${host.slice(0, 500)}\n${host.slice(500)}  \u0000`,
    ])
      assert.equal(hostOf(url), host, JSON.stringify(url.replaceAll(host, 'HOST')));
    assert.ok((hostOf(`http://a[:${host}`)?.length ?? 0) >= host.length);
    assert.ok((hostOf(`http://a ${host}`)?.length ?? 0) >= host.length);
    assert.ok((hostOf(`http://[${host}:1`)?.length ?? 0) >= host.length);
  });

  it('is the one that the parser finds', () => {
    const part = fc.constantFrom(
      ...['http:', 'https:', 'HTTP', ':', '/', '\\', '//', '@', '?', '#', '[', ']', '::1', '%41', '.', '..'],
      ...['\t', '\n', '\r', ' ', '\u0000', '\u001f', 'a', 'b.example', '1', '80', '\u6587', '\u3002', '\u00ad'],
    );
    const rest = fc.array(part, { maxLength: 10 }).map((parts) => parts.join(''));
    const url = fc.tuple(fc.constantFrom('', ' ', '\n', '\u0000'), fc.constantFrom('http:', 'https:'), rest);
    let parsed = 0;
    fc.assert(
      fc.property(url, (parts) => {
        const text = parts.join('');
        if (!URL.canParse(text)) return;
        parsed += 1;
        const { hostname } = new URL(text);
        assert.equal(new URL(`http://${hostOf(text) ?? ''}/`).hostname, hostname);
      }),
      { numRuns: 2_000 },
    );
    assert.ok(parsed > 100, 'hardly any was one');
  });
});
