import { passwordUnitsMin, type CommonPasswords } from '../../kernel/ports/system.js';

/** Of those that are long enough for an account. */
export const commonPasswordsMax = 10_000;

/**
 * The commonest passwords of at least `passwordUnitsMin` units, from the list of `@zxcvbn-ts/language-common`, which is
 * in order of frequency and in lower case. The list is unpacked when it is first asked for, within some 15 ms, and takes
 * some 3 MB from then on.
 */
export const commonPasswords = (): CommonPasswords => {
  let loaded: Promise<ReadonlySet<string>> | undefined;
  return {
    has: async (password) => {
      loaded ??= load();
      return (await loaded).has(password.toLowerCase());
    },
  };
};

const load = async (): Promise<ReadonlySet<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const longEnough = dictionary['passwords-common'].filter((password) => password.length >= passwordUnitsMin);
  return new Set(longEnough.slice(0, commonPasswordsMax));
};
