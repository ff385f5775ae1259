import { useNow } from '../../lib/useNow';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { type Robot, stateOf } from './robots';
import styles from './robots.module.css';
import { t } from './texts';

const RENEW_MS = 60_000;

/** Whether it works, and until when. */
export function RobotState({ robot }: { robot: Robot }) {
  const state = stateOf(robot, useNow(RENEW_MS));
  return (
    <span className={styles.stack}>
      <StateTag state={state} />
      {robot.expires_at && state !== 'disabled' && (
        <span className={styles.quiet}>
          {state === 'active' && t('expires')} <RelativeTime time={robot.expires_at} />
        </span>
      )}
    </span>
  );
}
