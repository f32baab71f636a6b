/** What the stand-in keeps, in arrays, with the rules for revisions and retries that were measured on EventStoreDB 23.10. */

export type Proposed = {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
};

export type Kept = Proposed & {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  /** Ticks of 100 ns since 1970. */
  readonly created: bigint;
};

export type Expected = bigint | 'any' | 'exists' | 'noStream';

export type Written =
  | { readonly is: 'written'; readonly revision: bigint; readonly position: bigint | undefined }
  | { readonly is: 'wrongRevision'; readonly actual: bigint }
  | { readonly is: 'deleted' }
  | { readonly is: 'tooLarge' };

export const appendBytesMax = 1_048_576;

/** With no expectation, ids are looked up only among the newest events, as in the server's cache. */
const recentEventsMax = 20_000;

/** Later than 2^53, so that a position that goes through a double is noticed. */
const positionOfFirst = 9_007_199_254_741_117n;

/** The largest number of the server, at which a stream is truncated that was deleted softly. */
const longMax = 2n ** 63n - 1n;

export class Store {
  readonly log: Kept[] = [];
  readonly #streams = new Map<string, Kept[]>();
  readonly #tombstones = new Set<string>();
  readonly #scavenged = new Set<bigint>();
  #next = positionOfFirst;

  constructor() {
    // As a server that has been started: its own streams come first.
    this.write('$users', [proposed('$UserCreated'), proposed('$UserCreated')]);
    this.write('$persistentSubscriptionConfig', [proposed('PersistentConfig1')]);
  }

  append(stream: string, expected: Expected, events: readonly Proposed[]): Written {
    if (bytesOf(events) > appendBytesMax) return { is: 'tooLarge' };
    if (this.#tombstones.has(stream)) return { is: 'deleted' };
    const last = this.lastRevision(stream);
    if (events.length === 0) return { is: 'written', revision: last, position: undefined };
    const again = this.#again(stream, expected, events);
    if (again !== undefined) return again;
    const isRight = expected === 'any' || (expected === 'exists' ? last >= 0n : revisionOf(expected) === last);
    // A stream that was deleted softly begins anew for who expects none, and goes on counting.
    if (!isRight && !(expected === 'noStream' && this.isSoftlyDeleted(stream))) return wrong(last);
    if (this.isSoftlyDeleted(stream)) this.#setMetadata(stream, { ...this.metadata(stream), $tb: Number(last) + 1 });
    const stored = this.write(stream, events).at(-1);
    return { is: 'written', revision: stored?.revision ?? last, position: stored?.position };
  }

  /** The answer to a repeated append; `undefined` for what the server takes for new. */
  #again(stream: string, expected: Expected, events: readonly Proposed[]): Written | undefined {
    const held = this.#streams.get(stream) ?? [];
    const last = this.lastRevision(stream);
    if (expected === 'any' || expected === 'exists') {
      const recent = new Set(this.log.slice(-recentEventsMax));
      const at = held.findLastIndex((event) => event.id === events[0]?.id && recent.has(event));
      if (at === -1) return undefined;
      return this.#same(held.slice(at), events) ? this.#place(held[at + events.length - 1]) : wrong(last);
    }
    const after = Number(revisionOf(expected)) + 1;
    if (BigInt(after) > last) return undefined;
    if (!this.#same(held.slice(after), events)) return undefined;
    // Measured: said to be written, with no position, and nothing is.
    if (this.isSoftlyDeleted(stream)) return { is: 'written', revision: last, position: undefined };
    return this.#place(held[after + events.length - 1]);
  }

  #same(held: readonly Kept[], events: readonly Proposed[]): boolean {
    return events.every(({ id }, index) => {
      const there = held[index];
      return there?.id === id && !this.#scavenged.has(there.position);
    });
  }

  #place(event: Kept | undefined): Written {
    if (event === undefined) throw new Error('no such event');
    return { is: 'written', revision: event.revision, position: event.position };
  }

  write(stream: string, events: readonly Proposed[]): readonly Kept[] {
    const held = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, held);
    const written = events.map((event): Kept => {
      const revision = BigInt(held.length);
      const kept = { ...event, stream, revision, position: this.#next, created: BigInt(Date.now()) * 10_000n };
      // A position is a byte offset: sparse, and nobody can guess the next.
      this.#next += BigInt(90 + event.data.length + event.metadata.length + stream.length + event.type.length);
      held.push(kept);
      this.log.push(kept);
      return kept;
    });
    return written;
  }

  softDelete(stream: string): void {
    this.write(`$$${stream}`, [proposed('$metadata', `{"$tb":${longMax.toString()}}`)]);
  }

  #setMetadata(stream: string, metadata: object): void {
    this.write(`$$${stream}`, [proposed('$metadata', JSON.stringify(metadata))]);
  }

  tombstone(stream: string): void {
    this.write(stream, [proposed('$streamDeleted')]);
    this.#tombstones.add(stream);
  }

  isTombstone(stream: string): boolean {
    return this.#tombstones.has(stream);
  }

  isSoftlyDeleted(stream: string): boolean {
    return this.lastRevision(stream) >= 0n && this.firstRevision(stream) > this.lastRevision(stream);
  }

  lastRevision(stream: string): bigint {
    return BigInt((this.#streams.get(stream)?.length ?? 0) - 1);
  }

  /** The first that can be read. */
  firstRevision(stream: string): bigint {
    const { $maxCount, $tb } = this.metadata(stream);
    const byCount = typeof $maxCount === 'number' ? this.lastRevision(stream) - BigInt($maxCount) + 1n : 0n;
    const byTruncation = typeof $tb === 'number' ? BigInt($tb) : 0n;
    return [0n, byCount, byTruncation].reduce((first, one) => (one > first ? one : first));
  }

  metadata(stream: string): Readonly<Record<string, unknown>> {
    const newest = this.#streams.get(`$$${stream}`)?.at(-1);
    if (newest === undefined) return {};
    const text = Buffer.from(newest.data).toString('utf8');
    // The server takes metadata with a number that is no `long` for none at all.
    if (text.match(/\d{19,}/g)?.some((number) => BigInt(number) > longMax) === true) return {};
    return JSON.parse(text) as Readonly<Record<string, unknown>>; // It is an object.
  }

  /** What a read of the stream may give; `undefined` when there is no such stream. */
  readable(stream: string): readonly Kept[] | undefined {
    const held = this.#streams.get(stream);
    if (held === undefined || this.isSoftlyDeleted(stream)) return undefined;
    const first = Number(this.firstRevision(stream));
    return first === 0 ? held : held.slice(first);
  }

  /** Takes what max counts and truncations have cut out of the log. Not while somebody follows it. */
  scavenge(): void {
    const isCut = ({ stream, revision }: Kept): boolean => revision < this.firstRevision(stream);
    for (const { position } of this.log.filter(isCut)) this.#scavenged.add(position);
    this.log.splice(0, this.log.length, ...this.log.filter((event) => !isCut(event)));
  }

  /** How many events of the log lie before the position. Throws when none has ever been there. */
  countBefore(position: bigint): number {
    let [low, high] = [0, this.log.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.log[middle]?.position ?? position) < position) low = middle + 1;
      else high = middle;
    }
    if (this.log[low]?.position !== position && !this.#scavenged.has(position))
      throw new Error('Unexpected ReadAllResult: Error');
    return low;
  }
}

export const bytesOf = (events: readonly Proposed[]): number =>
  events.reduce((sum, { type, data, metadata }) => sum + 2 * type.length + data.length + metadata.length, 0);

const wrong = (actual: bigint): Written => ({ is: 'wrongRevision', actual });

const revisionOf = (expected: bigint | 'noStream'): bigint => (expected === 'noStream' ? -1n : expected);

const proposed = (type: string, data = '{}'): Proposed => ({
  id: crypto.randomUUID(),
  type,
  contentType: 'application/json',
  data: Buffer.from(data),
  metadata: new Uint8Array(0),
});
