import { expect, it } from 'vitest';
import type { Schemas } from '../../api/client';
import { countsOf, findingName, isActive, outcomeOf } from './runs';

const RUN: Schemas['StorageRun'] = {
  id: 'r',
  kind: 'collect',
  dry_run: false,
  status: 'succeeded',
  started_by: 'system:storage',
  created_at: '2026-11-21T12:00:00Z',
  counts: { bytes: 2 ** 30, objects: 12 },
  report: [],
};

it('says what a run came to', () => {
  expect(outcomeOf(RUN)).toBe('1.0 GiB freed');
  expect(outcomeOf({ ...RUN, dry_run: true })).toBe('would free 1.0 GiB');
  expect(
    outcomeOf({
      ...RUN,
      kind: 'scrub',
      counts: { verified: 3, verified_bytes: 2048, corrupt: 1, errors: 2 },
    }),
  ).toBe('2.0 KiB in 3 blobs verified, 1 damaged, 2 errors');
});

it('counts what belongs to the kind of the run, with zeros', () => {
  expect(countsOf({ ...RUN, kind: 'scrub', counts: {} }).map(([, value]) => value)).toEqual([
    '0',
    '0 B',
    '0',
    '0',
  ]);
  expect(countsOf(RUN)).toContainEqual(['Objects deleted', '12']);
  expect(countsOf({ ...RUN, dry_run: true })).toContainEqual(['Bytes that would go', '1.0 GiB']);
});

it('is active until it has ended', () => {
  expect(isActive({ status: 'queued' })).toBe(true);
  expect(isActive({ status: 'failed' })).toBe(false);
});

it('shows a finding that it does not know as it is', () => {
  expect(findingName('corrupt')).toBe('Damaged');
  expect(findingName('new')).toBe('new');
});
