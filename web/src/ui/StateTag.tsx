import {
  CheckCircleOutlined,
  ClockCircleOutlined,
  CloseCircleOutlined,
  MinusCircleOutlined,
  PauseCircleOutlined,
  StopOutlined,
  SyncOutlined,
} from '@ant-design/icons';
import type { ReactElement } from 'react';
import styles from './StateTag.module.css';
import { t } from './texts';

type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'quiet';

const LOOKS = {
  pending: ['quiet', <PauseCircleOutlined key="i" />],
  queued: ['quiet', <ClockCircleOutlined key="i" />],
  running: ['busy', <SyncOutlined key="i" spin />],
  completed: ['good', <CheckCircleOutlined key="i" />],
  succeeded: ['good', <CheckCircleOutlined key="i" />],
  success: ['good', <CheckCircleOutlined key="i" />],
  failed: ['bad', <CloseCircleOutlined key="i" />],
  cancelled: ['quiet', <StopOutlined key="i" />],
  timeout: ['bad', <ClockCircleOutlined key="i" />],
  lost: ['warn', <CloseCircleOutlined key="i" />],
  skipped: ['quiet', <MinusCircleOutlined key="i" />],
  active: ['good', <CheckCircleOutlined key="i" />],
  archived: ['quiet', <MinusCircleOutlined key="i" />],
  suspended: ['bad', <StopOutlined key="i" />],
  disabled: ['bad', <StopOutlined key="i" />],
  revoked: ['bad', <StopOutlined key="i" />],
  expired: ['warn', <ClockCircleOutlined key="i" />],
  healthy: ['good', <CheckCircleOutlined key="i" />],
  draining: ['warn', <PauseCircleOutlined key="i" />],
  paused: ['warn', <PauseCircleOutlined key="i" />],
  offline: ['bad', <CloseCircleOutlined key="i" />],
  draft: ['quiet', <PauseCircleOutlined key="i" />],
  published: ['good', <CheckCircleOutlined key="i" />],
  deprecated: ['warn', <MinusCircleOutlined key="i" />],
  quarantined: ['warn', <PauseCircleOutlined key="i" />],
  copied: ['good', <CheckCircleOutlined key="i" />],
  kept: ['warn', <PauseCircleOutlined key="i" />],
  gone: ['quiet', <MinusCircleOutlined key="i" />],
  blocked: ['bad', <StopOutlined key="i" />],
} satisfies Record<string, [Tone, ReactElement]>;

export type State = keyof typeof LOOKS;

function isState(state: string): state is State {
  return state in LOOKS;
}

interface Props {
  state: string;
  /** Shows the sign alone; the word stays for screen readers. */
  compact?: boolean;
}

/** A state as sign and word, in the same look everywhere. An unknown one is shown as it is. */
export function StateTag({ state, compact = false }: Props) {
  if (!isState(state)) return <span>{state}</span>;
  const [tone, icon] = LOOKS[state];
  const word = t(`state.${state}`);
  return (
    <span className={`${styles.tag} ${styles[tone]}`} title={compact ? word : undefined}>
      <span aria-hidden>{icon}</span>
      <span className={compact ? 'visually-hidden' : undefined}>{word}</span>
    </span>
  );
}

/** The word for a state. */
export function stateName(state: State): string {
  return t(`state.${state}`);
}
