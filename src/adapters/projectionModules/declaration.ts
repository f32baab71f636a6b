import {
  moduleIndexesMax,
  moduleNameUnitsMax,
  moduleTypesMax,
  type DeclaredModule,
  type DeclaredType,
} from '../../kernel/ports/projectionModule.js';

type Fold = (document: unknown, event: unknown, key: string) => unknown;

/** The functions of one type of documents, by the facts that they are for. */
export type TypeFunctions = {
  readonly keys: Readonly<Record<string, (event: unknown) => unknown>>;
  readonly fold: Readonly<Record<string, Fold>>;
  readonly indexes: Readonly<Record<string, (document: unknown) => unknown>>;
};

export type CheckedModule = {
  readonly declared: DeclaredModule;
  readonly functions: ReadonlyMap<string, TypeFunctions>;
};

/** Throws an error whose message says what a projection is and what was found instead. */
export const checkedModule = (exported: unknown): CheckedModule => {
  const { name, version, documents } = fieldsOf(exported, 'the export "projection"');
  const types = Object.entries(fieldsOf(documents, 'documents'));
  if (!isName(name)) throw new Error(`"name" must be ${nameForm}`);
  if (!Number.isSafeInteger(version) || Number(version) < 1)
    throw new Error('"version" must be a whole number from 1 on');
  if (types.length === 0 || types.length > moduleTypesMax)
    throw new Error(`"documents" must have 1 to ${moduleTypesMax.toString()} types`);
  const checked = types.map(([type, given]) => checkedType(type, given));
  return {
    declared: { name, version: Number(version), types: checked.map(([declared]) => declared) },
    functions: new Map(checked.map(([declared, functions]) => [declared.name, functions])),
  };
};

const nameForm = `a small letter, and then up to ${(moduleNameUnitsMax - 1).toString()} letters and digits`;
const isName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= moduleNameUnitsMax && /^[a-z][A-Za-z0-9]*$/.test(name);

const checkedType = (name: string, given: unknown): readonly [DeclaredType, TypeFunctions] => {
  const where = `documents.${name}`;
  if (!isName(name)) throw new Error(`the name of ${where} must be ${nameForm}`);
  const fields = fieldsOf(given, where);
  const keys = functionsOf(fields['keys'], `${where}.keys`);
  const fold = functionsOf(fields['fold'], `${where}.fold`);
  const indexes = functionsOf(fields['indexes'] ?? {}, `${where}.indexes`);
  const facts = Object.keys(keys);
  const alone = [...facts.filter((fact) => !(fact in fold)), ...Object.keys(fold).filter((fact) => !(fact in keys))];
  if (alone.length > 0)
    throw new Error(`${where}: "keys" and "fold" must be for the same events, unlike ${alone.join(', ')}`);
  if (facts.length === 0) throw new Error(`${where} must be for one event at least`);
  for (const index of Object.keys(indexes))
    if (!isName(index)) throw new Error(`the name of an index of ${where} must be ${nameForm}`);
  if (Object.keys(indexes).length > moduleIndexesMax)
    throw new Error(`${where} must have at most ${moduleIndexesMax.toString()} indexes`);
  return [
    { name, facts, indexes: Object.keys(indexes) },
    // The values that they give back are checked at each call.
    { keys, fold, indexes } as TypeFunctions,
  ];
};

const fieldsOf = (given: unknown, where: string): Readonly<Record<string, unknown>> => {
  if (typeof given !== 'object' || given === null) throw new Error(`${where} must be an object`);
  return given as Readonly<Record<string, unknown>>; // Its fields are looked at one by one.
};

const functionsOf = (given: unknown, where: string): Readonly<Record<string, unknown>> => {
  const fields = fieldsOf(given, where);
  const other = Object.entries(fields).find(([, value]) => typeof value !== 'function');
  if (other !== undefined) throw new Error(`${where}.${other[0]} must be a function`);
  return fields;
};
