import type { Image, Step } from './queries';

const STEPS: Record<Image['lifecycle'], readonly Step[]> = {
  draft: ['archive', 'publish'],
  published: ['archive', 'deprecate'],
  deprecated: ['archive', 'publish'],
  archived: ['restore'],
};

/** What may come next; the server says the same. */
export function stepsFrom(lifecycle: Image['lifecycle']): readonly Step[] {
  return STEPS[lifecycle];
}
