import type protobuf from 'protobufjs';
import { rpcTable, type AnyRpc } from '../../../src/gen/rpcs.js';
import { nameOf, protocolRoot } from '../../wire/definitions.js';
import { fieldPaths, textOf, withField, type FieldPath, type Plain } from '../fieldPaths.js';

/** One text of one request. */
export type TextField = { readonly rpc: AnyRpc; readonly path: FieldPath; readonly name: string };

/** Every text in the request of every RPC, as the definitions have them; those that are not built included. */
export const textFields = (): readonly TextField[] => {
  const root = protocolRoot();
  const isText = ({ type }: protobuf.Field): boolean => type === 'string';
  return (Object.values(rpcTable) as readonly AnyRpc[]).flatMap((rpc) =>
    fieldPaths(root.lookupType(rpc.request.typeName), isText).map((path) => ({ rpc, path, name: textOf(path) })),
  );
};

/** The request with this text in this field. */
export const requestWith = ({ path }: TextField, text: string, sound: Plain = {}): Plain =>
  withField(sound, path, path.at(-1)?.repeated ? [text] : text, fill);

/** Other fields that a message needs, so that the server looks at the one that an attack is about. */
const fills: Readonly<Record<string, Plain>> = {
  'osmium.client.types.MessageEntity': { length: 1 },
  'osmium.client.messages.SendMessage.ReplyTo.Quote': { message: 'welcome' },
};
const fill = ({ resolvedType }: protobuf.Field): Plain => (resolvedType && fills[nameOf(resolvedType)]) ?? {};

const markBytes = 2;
const ideographBytes = 3;
const ideographsFrom = 0x4e00;
const ideographs = 20_000;
/** Has no divisor in common with their number, so that all of them come. */
const ideographStep = 7_919;

/** Marks of two classes in the wrong order, which normalisation has to sort. `bytes` is the size as UTF-8. */
export const marks = (bytes: number): string => {
  const each = Math.floor(bytes / markBytes / 2);
  return `a${'\u0301'.repeat(each - 1)}${'\u0316'.repeat(each)}`;
};

/** Hosts of which no two characters are alike are the slowest to be made ASCII of. */
export const ideographicHost = (units: number, salt = 0): string => {
  const codes = Uint16Array.from(
    { length: units },
    (_, at) => ideographsFrom + ((salt + at * ideographStep) % ideographs),
  );
  return Buffer.from(codes.buffer).toString('utf16le');
};

/** Texts that take a server time with the square of their length, made to so many bytes of UTF-8. */
export const hostileTexts: Readonly<Record<'marks' | 'hosts', (bytes: number) => string>> = {
  marks,
  hosts: (bytes) => `http://${ideographicHost(Math.floor((bytes - 8) / ideographBytes))}/`,
};

/** Bytes of a frame that are not the text: the envelope, and the messages around the text. */
export const envelopeBytesMax = 256;
