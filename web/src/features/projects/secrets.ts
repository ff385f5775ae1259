import type { SecretKind } from './queries';

/** What secrets may be called; the server says the same. */
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

const KEY_BEGIN = /^-----BEGIN .*PRIVATE KEY-----$/;
const CONTROL = /\p{Cc}/u;

/** What is wrong with a value for its kind, before the server says so. */
export function valueFault(kind: SecretKind, value: string): 'keyRule' | 'tokenRule' | undefined {
  if (kind === 'ssh_key') {
    const first = value.trimStart().split('\n')[0]?.trimEnd() ?? '';
    return KEY_BEGIN.test(first) && !/ENCRYPTED/.test(value) ? undefined : 'keyRule';
  }
  return kind === 'git_token' && CONTROL.test(value) ? 'tokenRule' : undefined;
}
