import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { PERMISSIONS } from '../../api/permissions';
import { ROLES } from '../../ui/access/access';
import { ROLE_PERMISSIONS } from './roles';

const REFERENCE = resolve(import.meta.dirname, '../../../../docs/reference/roles.md');

/** The cells of a Markdown table's row, without the code marks. */
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));

it('says what the reference of roles says', () => {
  const [, inTenant = ''] = readFileSync(REFERENCE, 'utf8').split(/^## .*$/m);
  const [head = '', , ...rows] = inTenant.split('\n').filter((line) => line.startsWith('|'));
  expect(cells(head).slice(1)).toEqual(ROLES);
  expect(rows.map((row) => cells(row)[0])).toEqual(PERMISSIONS);
  for (const row of rows) {
    const [permission, ...allowed] = cells(row);
    const here = ROLES.map((role) => ROLE_PERMISSIONS[role].some((own) => own === permission));
    expect(here, permission).toEqual(allowed.map((cell) => cell === 'yes'));
  }
});
