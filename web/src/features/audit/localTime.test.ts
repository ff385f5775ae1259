import { expect, it } from 'vitest';
import { fromLocalInput, toLocalInput } from './localTime';

it('goes there and back', () => {
  const moment = '2026-03-29T00:30:00.000Z';
  expect(fromLocalInput(toLocalInput(moment))).toBe(moment);
});

it('is empty without a moment', () => {
  expect(toLocalInput(undefined)).toBe('');
  expect(fromLocalInput('')).toBeUndefined();
});
