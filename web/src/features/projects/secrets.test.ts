import { describe, expect, it } from 'vitest';
import { SECRET_NAME, valueFault } from './secrets';

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n';

describe('the value of a secret', () => {
  it('is anything when it is text', () => {
    expect(valueFault('opaque', 'a\nb')).toBeUndefined();
  });

  it('is one line when it is a token', () => {
    expect(valueFault('git_token', 'ghp_x')).toBeUndefined();
    expect(valueFault('git_token', 'ghp_x\n')).toBe('tokenRule');
  });

  it('is an unencrypted private key when it is a key', () => {
    expect(valueFault('ssh_key', KEY)).toBeUndefined();
    expect(valueFault('ssh_key', KEY.replaceAll('\n', '\r\n'))).toBeUndefined();
    expect(valueFault('ssh_key', 'ssh-ed25519 AAAA')).toBe('keyRule');
    expect(valueFault('ssh_key', KEY.replaceAll('OPENSSH', 'ENCRYPTED'))).toBe('keyRule');
    expect(valueFault('ssh_key', KEY.replace('b3Bl', 'Proc-Type: 4,ENCRYPTED'))).toBe('keyRule');
  });
});

it.each([
  ['NPM_TOKEN', true],
  ['_x', true],
  ['9lives', false],
  ['with-hyphen', false],
  ['a'.repeat(65), false],
])('the name %s is allowed: %s', (name, allowed) => {
  expect(SECRET_NAME.test(name)).toBe(allowed);
});
