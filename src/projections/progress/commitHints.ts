import type { Checkpoint } from '../../kernel/ports/documentStore.js';
import { parsedJson } from '../../kernel/json.js';

/** The hint that the projecting node sends the others after each commit, so that they need not ask the store. */
export type CommitHint = {
  /** The checkpoints that are stored now. */
  readonly checkpoints: readonly Checkpoint[];
  /** Checkpoints of projections that go no further. */
  readonly stopped: readonly string[];
};

/** Of the nodes that have the same generation. */
export const projectionsTopic = (generation: string): string => `projections ${generation}`;

type Written = { readonly at: readonly (readonly [string, string])[]; readonly stopped: readonly string[] };

export const bytesOf = ({ checkpoints, stopped }: CommitHint): Uint8Array => {
  const written: Written = {
    at: checkpoints.map(({ projection, position }) => [projection, position.toString()]),
    stopped,
  };
  return new TextEncoder().encode(JSON.stringify(written));
};

export const hintOf = (bytes: Uint8Array): CommitHint => {
  // Written by `bytesOf`, here or on another node.
  const { at, stopped } = parsedJson(new TextDecoder().decode(bytes)) as Written;
  return { checkpoints: at.map(([projection, text]) => ({ projection, position: BigInt(text) })), stopped };
};
