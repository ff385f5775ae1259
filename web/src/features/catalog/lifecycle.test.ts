import { expect, it } from 'vitest';
import { stepsFrom } from './lifecycle';

it('offers the steps that an image can take', () => {
  expect(stepsFrom('draft')).toContain('publish');
  expect(stepsFrom('published')).toEqual(['archive', 'deprecate']);
  expect(stepsFrom('deprecated')).toContain('publish');
  expect(stepsFrom('archived')).toEqual(['restore']);
});
