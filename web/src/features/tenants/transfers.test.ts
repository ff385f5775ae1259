import { expect, it } from 'vitest';
import { sumOf } from './transfers';

it('adds up the days', () => {
  const day = { day: '2026-11-20', pulls: 3, pushes: 1, pulled_bytes: 300, pushed_bytes: 20 };
  expect(sumOf([day, { ...day, day: '2026-11-21', pulls: 4 }])).toEqual({
    pulls: 7,
    pushes: 2,
    pulled_bytes: 600,
    pushed_bytes: 40,
  });
  expect(sumOf([]).pulls).toBe(0);
});
