import { defineTexts } from '../../lib/texts';

export const t = defineTexts('log', {
  label: 'Log',
  line: 'Line {{number}}',
  waiting: 'Nothing is printed yet. Lines appear here as they come.',
  empty: 'The log is empty.',
  cut: ' … {{count}} more characters; the download has them',
  search: 'Search the log',
  searching: '{{count}} …',
  noMatch: 'No match',
  matches: '{{count}} lines',
  position: '{{position}} of {{count}}',
  next: 'Next match (Enter)',
  previous: 'Previous match (Shift Enter)',
  follow: 'Follow the end',
  fold: 'Fold all steps',
  unfold: 'Unfold all steps',
  times: 'Times',
  download: 'Download the log',
});
