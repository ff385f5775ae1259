import { Button, type ButtonProps, Tooltip } from 'antd';

interface Props extends Omit<ButtonProps, 'disabled'> {
  /** Why it cannot be used now; undefined when it can. */
  disabledReason?: string | undefined;
}

/** A button that says why it cannot be used. It stays reachable by keyboard, so that the reason is too. */
export function ActionButton({ disabledReason, onClick, ...props }: Props) {
  if (disabledReason === undefined) return <Button onClick={onClick} {...props} />;
  return (
    <Tooltip title={disabledReason}>
      <Button
        {...props}
        aria-disabled
        style={{ ...props.style, opacity: 0.55, cursor: 'not-allowed' }}
        onClick={(event) => event.preventDefault()}
      />
    </Tooltip>
  );
}
