import protobuf from 'protobufjs';

/** From a message type down to one of its fields, through the messages that hold it. */
export type FieldPath = readonly [protobuf.Field, ...protobuf.Field[]];

export type Plain = Readonly<Record<string, unknown>>;

/** The paths to all fields below a type that fit. */
export const fieldPaths = (type: protobuf.Type, fits: (field: protobuf.Field) => boolean): readonly FieldPath[] =>
  type.fieldsArray.flatMap((field): readonly FieldPath[] => [
    ...(fits(field) ? [[field] as const] : []),
    ...(field.resolvedType instanceof protobuf.Type
      ? fieldPaths(field.resolvedType, fits).map((path): FieldPath => [field, ...path])
      : []),
  ]);

/** The request with this value at the end of the path. `fill` is what is set in the messages that are made on the way. */
export const withField = (
  request: Plain,
  [field, ...rest]: FieldPath,
  value: unknown,
  fill: (field: protobuf.Field) => Plain = () => ({}),
): Plain => {
  const [next, ...further] = rest;
  const there = field.repeated ? undefined : (request[field.name] as Plain | undefined);
  const inner = next === undefined ? value : withField({ ...fill(field), ...there }, [next, ...further], value, fill);
  return { ...request, [field.name]: field.repeated && next !== undefined ? [inner] : inner };
};

export const textOf = (path: FieldPath): string => path.map(({ name }) => name).join('.');
