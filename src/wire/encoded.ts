/**
 * A message that is encoded already and stands in a list that is to be encoded. So one whose size has to be known is
 * encoded once, and a large answer is encoded piece by piece. `Init` is the type that it was made from.
 */
export class Encoded<Init> {
  readonly bytes: Uint8Array;
  // Only the compiler sees it: without it, messages of one type could stand in a list of another.
  declare private readonly madeFrom: Init;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}
