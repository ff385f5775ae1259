import { describe, expect, it } from 'vitest';
import {
  draftOf,
  freshnessChoices,
  freshnessText,
  NEW_UPSTREAM,
  settingsOf,
  type Upstream,
} from './upstream';

const UPSTREAM: Upstream = {
  project_id: '0193a000-0000-7000-8000-000000000003',
  url: 'https://registry.example',
  username: 'puller',
  freshness_seconds: 600,
  version: 1,
  created_at: '2026-03-01T08:00:00Z',
  updated_at: '2026-03-01T08:00:00Z',
};

describe('what is sent of an upstream', () => {
  it('has a name and a password where somebody signs in', () => {
    expect(settingsOf({ ...draftOf(UPSTREAM), password: 'secret' })).toEqual({
      url: 'https://registry.example',
      username: 'puller',
      password: 'secret',
      freshness_seconds: 600,
    });
  });

  it('has neither where nobody does', () => {
    expect(settingsOf({ ...NEW_UPSTREAM, url: ' https://registry.example ' })).toEqual({
      url: 'https://registry.example',
      freshness_seconds: 600,
    });
  });

  it('leaves half a sign-in for the server to find fault with', () => {
    expect(settingsOf(draftOf(UPSTREAM))).not.toHaveProperty('password');
    expect(settingsOf({ ...NEW_UPSTREAM, password: 'secret' })).not.toHaveProperty('username');
  });
});

it('says that a tag is never fresh', () => {
  expect(freshnessText(0)).toBe('No time: every pull asks');
  expect(freshnessText(600)).toBe('10 minutes');
});

it('offers what is stored, once and in its place', () => {
  const usual = freshnessChoices(600);
  expect(freshnessChoices(0)).toEqual(usual);
  expect(freshnessChoices(300)).toEqual([...usual, 300].sort((a, b) => a - b));
});
