import type { Service } from './bystanderProcess.js';

/** Of bystanders whom nothing but waiting was to trouble: what befell them besides. Empty for nothing. */
export const disturbances = (service: Service): readonly string[] =>
  (['refused', 'lost', 'closed', 'late'] as const)
    .filter((what) => service[what] > 0)
    .map((what) => `${service[what].toString()} ${what}`);
