import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../api/errors';
import { ofOwner } from './NewTenant';

describe('a refusal of the first owner', () => {
  it('has its faults at the fields of the owner, not of the tenant', () => {
    const fault = { pointer: '/name', code: 'too_long', detail: 'value is too long' };
    const refusal = ofOwner(new ApiError(422, { detail: 'the request has a fault', errors: [fault] }));
    expect(refusal).toMatchObject({ status: 422, faults: [{ ...fault, pointer: '/owner/name' }] });
  });

  it('leaves other failures as they are', () => {
    const error = new TypeError('failed');
    expect(ofOwner(error)).toBe(error);
  });
});
