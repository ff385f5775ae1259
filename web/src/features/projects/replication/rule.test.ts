import { describe, expect, it } from 'vitest';
import {
  draftOf,
  NEW_RULE,
  needsPassword,
  periodText,
  RULE_NAME,
  type Rule,
  scheduleChoices,
  settingsOf,
  whenText,
} from './rule';

const RULE: Rule = {
  id: '0193f300-0000-7000-8000-000000000001',
  project_id: '0193a000-0000-7000-8000-000000000003',
  name: 'mirror',
  direction: 'push',
  url: 'https://registry.example/team',
  username: 'ann',
  images: ['web', 'team/*'],
  tags: ['v*'],
  overwrite: false,
  enabled: true,
  on_push: true,
  every_minutes: 360,
  created_by: 'user:u',
  created_at: '2026-03-01T08:00:00Z',
  updated_at: '2026-03-01T08:00:00Z',
};

describe('what is sent of a rule', () => {
  it('says all that is stored, and no password where none is given', () => {
    expect(settingsOf(draftOf(RULE))).toEqual({
      name: 'mirror',
      url: 'https://registry.example/team',
      username: 'ann',
      images: ['web', 'team/*'],
      tags: ['v*'],
      overwrite: false,
      on_push: true,
      every_minutes: 360,
      enabled: true,
    });
    expect(settingsOf({ ...draftOf(RULE), password: 'secret' })).toMatchObject({ password: 'secret' });
  });

  it('says that nobody signs in, and that there is no schedule', () => {
    expect(settingsOf({ ...NEW_RULE, url: ' https://registry.example ' })).toMatchObject({
      url: 'https://registry.example',
      username: null,
      every_minutes: null,
    });
  });
});

it('needs the password again for another address or user', () => {
  const stored = draftOf(RULE);
  expect(needsPassword(stored, stored)).toBe(false);
  expect(needsPassword({ ...stored, url: `${stored.url} ` }, stored)).toBe(false);
  expect(needsPassword({ ...stored, url: 'https://other.example' }, stored)).toBe(true);
  expect(needsPassword({ ...stored, username: 'bob' }, stored)).toBe(true);
  expect(needsPassword({ url: 'https://other.example', username: '' }, stored)).toBe(false);
  expect(needsPassword({ ...NEW_RULE, username: 'ann' }, NEW_RULE)).toBe(true);
});

it.each([
  [15, '15 minutes'],
  [60, 'hour'],
  [90, '90 minutes'],
  [1_440, 'day'],
  [10_080, '7 days'],
])('a rule runs every %d minutes: every %s', (minutes, text) => {
  expect(periodText(minutes)).toBe(text);
});

it('offers what is stored, once and in its place', () => {
  const usual = scheduleChoices(0);
  expect(scheduleChoices(60)).toEqual(usual);
  expect(scheduleChoices(30)).toEqual([...usual, 30].sort((a, b) => a - b));
});

it('says when a rule runs', () => {
  expect(whenText(RULE)).toBe('on push, every 6 hours');
  expect(whenText({ ...RULE, on_push: false })).toBe('every 6 hours');
  expect(whenText({ enabled: true, on_push: false })).toBe('only by hand');
  expect(whenText({ ...RULE, enabled: false })).toBe('only by hand while it is disabled');
});

it.each([
  ['mirror', true],
  ['site-2.eu_west', true],
  ['-mirror', false],
  ['Mirror', false],
])('the name %s is allowed: %s', (name, allowed) => {
  expect(RULE_NAME.test(name)).toBe(allowed);
});
