import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { boundedMap } from '../../kernel/boundedMap.js';
import { isRejection, type Rejection } from '../../kernel/decider.js';
import { defined } from '../../kernel/defined.js';
import type { FileId } from '../../kernel/ids.js';
import type { FileStore } from '../files/fileStore.js';
import type { FileName, NamedFile } from '../files/streaming.js';
import { byteRangeOf, type ByteRange } from './byteRange.js';
import { conditionOf, mayAnswerRange } from './conditions.js';
import { sendBytes, type AnswerNeeds } from './fileAnswers.js';
import { fileHeaders, validatorsOf } from './fileHeaders.js';
import { mayBeShown, shownTypeOf, typeHeadBytes } from './shownTypes.js';
import type { WebCall } from './webCalls.js';

/** Files of which a node remembers how they begin: their bytes never change. */
export const rememberedHeadsMax = 20_000;

export type FileRequestNeeds = AnswerNeeds & { readonly files: Pick<FileStore, 'seen' | 'next'> };

/** Gives a refusal where nothing was answered yet. */
export type AnswerFile = (
  webCall: WebCall,
  name: FileName,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<Rejection | undefined>;

/** Answers GET and HEAD: rights first, then conditions, then the range. */
export const answerFile = (needs: FileRequestNeeds): AnswerFile => {
  const typeOf = shownTypes(needs);
  return async (webCall, name, request, reply) => {
    const seen = await needs.files.seen(webCall.call, name);
    if (isRejection(seen)) return seen;
    const part = partOf(seen, request);
    const sent = typeof part === 'object' && request.method === 'GET' ? part : undefined;
    const type = await typeOf(webCall, seen, sent?.range);
    if (isRejection(type)) return type;
    const headers = { ...fileHeaders(seen, type.shown) };
    if (sent !== undefined) {
      return sendBytes(needs, webCall, () => beginning(reply), {
        ...sent,
        headers,
        seen,
        ...defined({ first: type.first }),
      });
    }
    if (typeof part === 'object') headers['content-length'] = seen.bytes.toString();
    else if (part === 416) headers['content-range'] = `bytes */${seen.bytes.toString()}`;
    await reply
      .code(typeof part === 'object' ? part.status : part)
      .headers(headers)
      .send();
    return undefined;
  };
};

type Part = { readonly status: 200 | 206; readonly range: ByteRange };

/** The bytes that are asked for, or the status that says why there are none. */
const partOf = ({ file, bytes }: NamedFile, { method, headers }: FastifyRequest): Part | 304 | 412 | 416 => {
  const validators = validatorsOf(file);
  const condition = conditionOf(headers, validators);
  if (condition !== 'met') return condition === 'failed' ? 412 : 304;
  const whole: Part = { status: 200, range: { from: 0, to: bytes } };
  // A range has a meaning for GET alone.
  if (method !== 'GET' || !mayAnswerRange(headers, validators)) return whole;
  const range = byteRangeOf(headers.range, bytes);
  if (range === 'none') return 416;
  return range === 'all' ? whole : { status: 206, range };
};

/** From here on the answer is written past the framework, which knows neither back-pressure nor cuts. It has set some headers. */
const beginning = (reply: FastifyReply): ServerResponse => {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  return reply.raw;
};

/** `first`: the bytes with which the range begins, where they were read for that. */
type ShownType = { readonly shown: string | undefined; readonly first?: Uint8Array };

/** The type under which a browser may show a file, for which its first bytes have to be read once. */
const shownTypes = ({ files }: FileRequestNeeds) => {
  const heads = boundedMap<FileId, Uint8Array>({ entriesMax: rememberedHeadsMax });
  return async ({ call }: WebCall, seen: NamedFile, range?: ByteRange): Promise<ShownType | Rejection> => {
    const { mimetype } = seen.held;
    if (!mayBeShown(mimetype) || seen.bytes === 0) return { shown: undefined };
    const known = heads.get(seen.file);
    if (known !== undefined) return { shown: shownTypeOf(mimetype, known) };
    const sentTo = range?.from === 0 ? range.to : 0;
    const read = await files.next(call, { seen, from: 0, to: Math.max(sentTo, Math.min(typeHeadBytes, seen.bytes)) });
    if (isRejection(read)) return read;
    // A copy, because the part of which these are some bytes would be kept with them.
    const head = Uint8Array.from(read.subarray(0, typeHeadBytes));
    heads.set(seen.file, head);
    return { shown: shownTypeOf(mimetype, head), ...(sentTo > 0 && { first: read.subarray(0, sentTo) }) };
  };
};
