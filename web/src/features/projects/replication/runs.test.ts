import { expect, it } from 'vitest';
import { doneOf, isOpen, outcomeOf } from './runs';

const COUNTS = { total: 0, copied: 0, unchanged: 0, kept: 0, gone: 0, failed: 0, bytes: 0 };

it('is open until it has ended', () => {
  expect(isOpen({ status: 'queued' })).toBe(true);
  expect(isOpen({ status: 'running' })).toBe(true);
  expect(isOpen({ status: 'cancelled' })).toBe(false);
});

it('counts as done what does not wait', () => {
  expect(doneOf({ ...COUNTS, total: 9, copied: 1, unchanged: 2, kept: 1, gone: 1, failed: 1 })).toBe(6);
});

it('says what a run has come to', () => {
  const counts = { ...COUNTS, total: 1_200, copied: 1_000, unchanged: 200 };
  expect(outcomeOf({ status: 'succeeded', counts })).toBe('1,000 copied, 200 there already');
  expect(outcomeOf({ status: 'running', counts: { ...counts, unchanged: 0 } })).toBe(
    '1,000 of 1,200 done, 1,000 copied',
  );
  expect(outcomeOf({ status: 'succeeded', counts: COUNTS })).toBe('nothing to copy');
});

it('says how far a run came that was stopped', () => {
  const counts = { ...COUNTS, total: 5, copied: 2 };
  expect(outcomeOf({ status: 'cancelled', counts })).toBe('2 of 5 done, 2 copied');
});
