import { useLinkProps } from '@tanstack/react-router';
import styles from './FilterLinks.module.css';

interface Props {
  /** What they choose, for screen readers. */
  label: string;
  /** The search parameter that they set. */
  name: string;
  /** Undefined: everything. */
  current: string | undefined;
  choices: { value: string | undefined; label: string }[];
}

/** One choice of a few, as links: the filter is part of the address. */
export function FilterLinks({ label, name, current, choices }: Props) {
  return (
    <nav aria-label={label} className={styles.choices}>
      {choices.map((choice) => (
        <Choice key={choice.value ?? ''} name={name} {...choice} isCurrent={choice.value === current} />
      ))}
    </nav>
  );
}

interface ChoiceProps {
  name: string;
  value: string | undefined;
  label: string;
  isCurrent: boolean;
}

function Choice({ name, value, label, isCurrent }: ChoiceProps) {
  const link = useLinkProps({
    to: '.',
    search: (previous) => ({ ...previous, [name]: value, cursor: undefined }),
    // Otherwise the choice that sets nothing is always current too.
    activeOptions: { exact: true, includeSearch: true },
  });
  return (
    <a {...link} className={styles.choice} aria-current={isCurrent ? 'page' : undefined}>
      {label}
    </a>
  );
}
