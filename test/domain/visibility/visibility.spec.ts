import { describe, it } from 'node:test';
import type { Visibility, VisibilityCommand } from '../../../src/domain/visibility/commands.js';
import { visibilities } from '../../../src/domain/visibility/decide.js';
import type { VisibilityEvent } from '../../../src/domain/visibility/events.js';
import type { Millis, SessionId, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(visibilities);
const data = { user: 1n as UserId, session: 11n as SessionId, at: 5 as Millis };
const hidden: Bare<VisibilityEvent> = { type: 'InvisibilityChosen', data };
const shown: Bare<VisibilityEvent> = { type: 'VisibilityChosen', data };
const choose = (visibility: Visibility): VisibilityCommand => ({
  type: 'ChooseVisibility',
  data: { ...data, visibility },
});

describe('the visibility of a session', () => {
  it('is a fact when it is chosen, once', () => {
    given().when(choose('invisible')).thenOnce(hidden);
    given(hidden).when(choose('visible')).thenOnce(shown);
  });
  it('is no fact where nothing else was chosen', () => {
    given().when(choose('visible')).then();
  });
  it('follows from the newest choice alone', () => {
    // The log may have dropped all older ones.
    given(shown).when(choose('invisible')).then(hidden);
  });
});
