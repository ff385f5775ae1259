export const LIFETIMES = ['30', '90', '365', 'never', 'date'] as const;
export type Lifetime = (typeof LIFETIMES)[number];

const DAY_MS = 86_400_000;

/** When something stops working; a day holds until its end, in the reader's zone. */
export function expiryOf(lifetime: Lifetime, date: string | undefined, now: number): string | undefined {
  if (lifetime === 'never') return undefined;
  if (lifetime !== 'date') return new Date(now + Number(lifetime) * DAY_MS).toISOString();
  return date ? new Date(`${date}T23:59:59`).toISOString() : undefined;
}
