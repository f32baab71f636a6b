import { BadConfig, configFrom, unknownVariables, variables, type Config } from './config.js';
import { startOsmium } from './container.js';

/** Closing takes no longer; unfinished work is left as after a crash, which loses nothing. */
const closingMillisMax = 4_800;

const main = async (): Promise<void> => {
  // Everything that is made from here on is for its owner alone: files, folders, sockets.
  process.umask(0o077);
  const config = configFrom(process.env);
  for (const name of unknownVariables(process.env)) console.error(`${name} is no variable of this server`);
  const starting = startOsmium(config).catch((error: unknown) => {
    throw explained(error, config);
  });
  let closing = false;
  const stop = (): void => {
    // An operator who asks twice does not want to wait.
    if (closing) process.exit(1);
    closing = true;
    let late = (): void => undefined;
    setTimeout(() => {
      late();
      process.exit(1);
    }, closingMillisMax).unref();
    starting
      .then((osmium) => {
        late = osmium.tellLate;
        return osmium.close();
      })
      .then(() => process.exit(0))
      .catch(failed);
  };
  // From the first moment, because an operator may stop the server before it is ready.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await starting;
};

/** An address that cannot be listened on names its variable, like any other bad value. */
const explained = (error: unknown, config: Config): unknown => {
  if (!(error instanceof Error)) return error;
  const key = causeOf(error);
  if (key === undefined) return error;
  return new BadConfig([`${variables[key].name}: "${String(config[key])}" cannot be used: ${error.message}`]);
};

const causeOf = ({ code, syscall, path }: NodeJS.ErrnoException): 'host' | 'port' | undefined => {
  if (code === 'EADDRNOTAVAIL' || syscall === 'getaddrinfo') return 'host';
  return syscall === 'listen' && path === undefined ? 'port' : undefined;
};

const failed = (error: unknown): void => {
  const expected = error instanceof BadConfig || (error instanceof Error && expectedNames.has(error.name));
  console.error(expected ? error.message : error);
  process.exit(1);
};

/** Errors that a person can put right, and whose message says all. */
const expectedNames: ReadonlySet<string> = new Set(['FolderInUse', 'EngineUnavailable']);

main().catch(failed);
