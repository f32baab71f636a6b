/** Names of communities, channels and roles, in UTF-16 code units. */
export const nameUnitsMax = 100;
/** In UTF-16 code units. */
export const descriptionUnitsMax = 1_024;
/** Six hours. */
export const slowmodeSecondsMax = 21_600;
/** In one community, categories included. */
export const channelsMax = 500;
/** In one community. */
export const rolesMax = 250;
/** In one channel. */
export const overridesMax = 100;
/** 0xRRGGBB. */
export const colorMax = 0xff_ff_ff;
/** Of the words with which a community is listed, in UTF-16 code units. */
export const shortDescriptionUnitsMax = 200;
export const longDescriptionUnitsMax = 2_000;
export const categoryUnitsMax = 50;
