import type { FormInstance } from 'antd';
import { ApiError, fieldPath } from '../api/errors';

/**
 * Shows the server's faults at their fields. Gives what could not be placed: the faults of fields that the form does not
 * have, or the refusal itself when it names no field.
 */
export function showFaults(form: FormInstance, error: unknown): string | undefined {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.faults.length === 0) return error.message;
  const homeless: string[] = [];
  const byField = new Map<string, { name: (string | number)[]; errors: string[] }>();
  for (const fault of error.faults) {
    const name = fault.pointer === '' ? fieldWithNul(form) : nearestField(form, fieldPath(fault.pointer));
    if (!name) {
      homeless.push(fault.pointer === '' ? fault.detail : `${fault.pointer}: ${fault.detail}`);
      continue;
    }
    const key = JSON.stringify(name);
    const entry = byField.get(key) ?? { name, errors: [] };
    entry.errors.push(fault.detail);
    byField.set(key, entry);
  }
  const fields = [...byField.values()];
  form.setFields(fields);
  if (fields[0]) form.scrollToField(fields[0].name, { focus: true });
  return homeless.length > 0 ? homeless.join('\n') : undefined;
}

/** The server refuses this character before it looks at single fields, and so names none. */
const NUL = '\u0000';

function fieldWithNul(form: FormInstance): (string | number)[] | undefined {
  const names = form.getFieldsError().map(({ name }) => name);
  return names.find((name) => {
    const value: unknown = form.getFieldValue(name);
    return typeof value === 'string' && value.includes(NUL);
  });
}

/** The field itself, or the one that holds it: a fault of `/tags/1` belongs to `tags`. */
function nearestField(form: FormInstance, path: (string | number)[]): (string | number)[] | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const name = path.slice(0, length);
    if (form.getFieldInstance(name)) return name;
  }
  return undefined;
}
