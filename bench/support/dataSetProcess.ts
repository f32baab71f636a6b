import { makeDataSet, type DataSet } from './dataSet.js';
import { serveCalls } from './helper.js';

const calls = {
  make: ({ dataDir, events }: { readonly dataDir: string; readonly events: number }): Promise<DataSet> =>
    makeDataSet(dataDir, events),
};

export type DataSetCalls = typeof calls;

serveCalls(calls);
