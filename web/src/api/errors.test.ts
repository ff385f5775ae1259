import { describe, expect, it } from 'vitest';
import { ApiError, blamed, fieldPath, problemOf } from './errors';

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

describe('the field that a pointer names', () => {
  it.each([
    ['/name', ['name']],
    ['/config/secrets/0/id', ['config', 'secrets', 0, 'id']],
    ['/config/labels/a~1b~0c', ['config', 'labels', 'a/b~c']],
    ['?limit', ['limit']],
    ['', ['']],
  ])('%s', (pointer, path) => {
    expect(fieldPath(pointer)).toEqual(path);
  });
});

describe('a refusal', () => {
  it('is read from its problem document', async () => {
    const errors = [{ pointer: '/name', code: 'required', detail: 'give a name' }];
    const body = { code: 'invalid', detail: 'the request has faults', trace_id: 't1', errors };
    const response = Response.json(body, {
      status: 422,
      headers: { 'Content-Type': 'application/problem+json' },
    });
    const error = await problemOf(response);
    expect(error).toMatchObject({
      status: 422,
      code: 'invalid',
      message: 'the request has faults',
      traceId: 't1',
    });
    expect(error.faults).toEqual(errors);
    expect(error.isTransient).toBe(false);
  });

  it('makes do with what a proxy answers', async () => {
    const error = await problemOf(new Response('<html>', { status: 502 }));
    expect(error).toMatchObject({ status: 502, code: 'unknown', faults: [] });
    expect(error.isTransient).toBe(true);
  });
});
