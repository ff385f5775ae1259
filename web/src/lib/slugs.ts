/** What a slug may look like; the server says the same. */
export const SLUG = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
export const SLUG_LENGTH = { min: 2, max: 40 };

/** A slug for a name: `Crème brûlée 2` becomes `creme-brulee-2`. */
export function slugOf(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH.max)
    .replace(/^-+|-+$/g, '');
}
