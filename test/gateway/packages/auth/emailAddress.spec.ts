import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { emailOf, formsOf } from '../../../../src/gateway/packages/auth/emailAddress.js';
import { isRejection } from '../../../../src/kernel/decider.js';

const canonicalOf = (text: string): string => {
  const email = emailOf(text);
  return isRejection(email) ? email.rejected : email.canonical;
};

describe('an e-mail address', () => {
  it('has one canonical form for all spellings of it', () => {
    const spellings = {
      'ada@example.org': [
        'ADA@Example.ORG',
        ' ada@example.org\n',
        'ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ',
        'ada@exam\u00adple.org',
      ],
      'ada@xn--bcher-kva.example': ['Ada@bücher.example', 'ada@BU\u0308CHER.example', 'ada@XN--BCHER-KVA.example'],
      'andré@example.org': ['Andre\u0301@example.org', 'ANDRÉ@example.org'],
      'ada@xn--fsq.xn--0zwm56d': ['ada@例。测试', 'ada@例.测试'],
    };
    for (const [canonical, others] of Object.entries(spellings)) {
      for (const text of [canonical, ...others]) assert.equal(canonicalOf(text), canonical, JSON.stringify(text));
    }
  });
  it('is shown as its owner spells it, with the host in its own script', () => {
    const email = emailOf(' Ada.L@XN--BCHER-KVA.example');
    assert.equal(isRejection(email) ? undefined : email.address, 'Ada.L@bücher.example');
  });
  it('may have all that mailboxes have', () => {
    for (const text of [
      "o'hara+chat/x=1@sub.example.co.uk",
      'a.b_c-d@example.org',
      '用户@例子.广告',
      '{a}|b@1.example',
    ]) {
      assert.notEqual(canonicalOf(text), 'INVALID_EMAIL', text);
    }
  });
  const refused = {
    'something that nobody sees': [
      'u\u200b@example.org',
      'u\u00ad@example.org',
      '\u3164@example.org',
      'u\ufe0f@example.org',
    ],
    'a control or a blank': ['u\u0000@example.org', 'u@exam\u0000ple.org', 'a b@example.org', 'u\n@example.org'],
    'dots in the wrong places': [
      'a..b@example.org',
      '.a@example.org',
      'a.@example.org',
      'u@example..org',
      'u@.org',
      'u@example.org.',
    ],
    'brackets, quotes or a name with it': [
      '<u@example.org>',
      'Ada <u@example.org>',
      '"u"@example.org',
      'u@[127.0.0.1]',
      '(u)@example.org',
    ],
    'no mailbox or no host': [
      'example.org',
      '@example.org',
      'u@',
      'u@localhost',
      'u@127.0.0.1',
      '',
      '@',
      'a@b@example.org',
    ],
    'a host that is none': [
      'u@-a.example',
      'u@a_b.example',
      'u@a b.example',
      'u@example.org/x',
      'u@example.org:25',
      'u@xn--a.example',
      'u@a\u202eb.example',
    ],
    'letters that look like others': ['ﬁnn@example.org', 'ｶ@example.org', 'u²@example.org'],
    'too much': [
      `${'a'.repeat(65)}@example.org`,
      `u@${'a'.repeat(64)}.example`,
      `u@${'a.'.repeat(130)}example`,
      'x'.repeat(100_000),
    ],
    'characters that are not assigned': [
      'u\uffff@example.org',
      'u@a\u{10ffff}.example',
      'u\ue000@example.org',
      'u\ud83d@example.org',
    ],
  };
  for (const [what, texts] of Object.entries(refused)) {
    it(`is none with ${what}`, () => {
      for (const text of texts) assert.equal(canonicalOf(text), 'INVALID_EMAIL', JSON.stringify(text));
    });
  }
  it('in its canonical form is that form, and so is what is shown', () => {
    const part = fc.string({
      unit: fc.constantFrom(...Array.from('aZ0.-_ßéİΣｋ用\u0301\u00ad@')),
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(part, part, (mailbox, host) => {
        const email = emailOf(`${mailbox}@${host}.example`);
        if (isRejection(email)) return;
        assert.deepEqual([email.canonical, email.address].map(canonicalOf), [email.canonical, email.canonical]);
      }),
    );
  });
});

describe('the forms under which an account may have an address', () => {
  it('are one for most', () => {
    for (const text of ['Ada@example.org', 'ａｄａ＠example.org']) assert.deepEqual(formsOf(text), ['ada@example.org']);
  });
  it('are also the host in its own script, and the text as it was compared before', () => {
    const [ascii, own] = ['ada@xn--bcher-kva.example', 'ada@bücher.example'];
    for (const text of [ascii, own, 'Ada@BU\u0308CHER.example']) assert.deepEqual(formsOf(text), [ascii, own]);
    assert.deepEqual(formsOf('ada@exam\u00adple.org'), ['ada@example.org', 'ada@exam\u00adple.org']);
  });
  it('are the former form alone, of a text that is no address any more', () => {
    assert.deepEqual(formsOf('A..B@example.org'), ['a..b@example.org']);
    assert.deepEqual(formsOf('ﬁnn@example.org'), ['finn@example.org']);
    assert.deepEqual(formsOf('nobody'), []);
  });
});
