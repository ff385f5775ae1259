import type { Rule } from './rule';
import { t } from './texts';

/** Which way images go: `Push to https://registry.example/team`. */
export function Destination({ rule: { direction, url } }: { rule: Pick<Rule, 'direction' | 'url'> }) {
  return (
    <>
      {t(`to.${direction}`)} <code>{url}</code>
    </>
  );
}
