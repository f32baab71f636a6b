import { readFileSync } from 'node:fs';

// The facts of the wire, written down independently of proto/. They are the truth; proto/ has to agree.
export type FieldFacts = {
  number: number;
  name: string;
  type: string;
  optional?: true;
  repeated?: true;
  deprecated?: true;
  oneof?: string;
  snowflake?: string;
};
export type MessageFacts = { file: string; fields: FieldFacts[]; reserved?: [number, number][] };
export type EnumFacts = { file: string; values: Record<string, number> };
export type RpcFacts = { number: number; field: string; request: string; result: string | null };
export type Facts = {
  files: string[];
  rpcs: RpcFacts[];
  messages: Record<string, MessageFacts>;
  enums: Record<string, EnumFacts>;
};

export const readFacts = (path = 'test/fixtures/protocol.json'): Facts => {
  const { files, rpcs, messages, enums } = JSON.parse(readFileSync(path, 'utf8')) as Facts;
  // A remark on one RPC is no fact.
  const plainRpcs = rpcs.map(({ number, field, request, result }) => ({ number, field, request, result }));
  return { files, rpcs: plainRpcs, messages, enums };
};
