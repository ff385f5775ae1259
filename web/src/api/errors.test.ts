import { expect, it } from 'vitest';
import { ApiError, blamed } from './errors';

it('names the field that a refusal is about', () => {
  const error = blamed(new ApiError(409, { code: 'project.exists', detail: 'it exists' }), {
    'project.exists': 'slug',
  });
  expect(error).toMatchObject({ status: 409, faults: [{ pointer: '/slug', detail: 'it exists' }] });
});

it('leaves other errors as they are', () => {
  const other = new ApiError(409, { code: 'project.archived' });
  expect(blamed(other, { 'project.exists': 'slug' })).toBe(other);
  const failure = new Error('no answer');
  expect(blamed(failure, {})).toBe(failure);
});
