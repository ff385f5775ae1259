export interface Change {
  /** `config.tags`. */
  path: string;
  kind: 'added' | 'removed' | 'changed' | 'same';
  before: string | undefined;
  after: string | undefined;
}

/** What differs between two states of a thing, by field; what is the same comes last. */
export function difference(before: unknown, after: unknown): Change[] {
  const old = fieldsOf(before);
  const fresh = fieldsOf(after);
  const changes = [...new Set([...old.keys(), ...fresh.keys()])].map((path) =>
    changeOf(path, old.get(path), fresh.get(path)),
  );
  return [...changes.filter(({ kind }) => kind !== 'same'), ...changes.filter(({ kind }) => kind === 'same')];
}

function changeOf(path: string, before: string | undefined, after: string | undefined): Change {
  if (before === undefined) return { path, kind: 'added', before, after };
  if (after === undefined) return { path, kind: 'removed', before, after };
  return { path, kind: before === after ? 'same' : 'changed', before, after };
}

/** The leaves of a state, as texts by path. Lists are leaves; what is null is not there. */
function fieldsOf(state: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (state === null || state === undefined) return found;
  if (isRecord(state)) {
    for (const [name, value] of Object.entries(state)) {
      fieldsOf(value, path ? `${path}.${name}` : name, found);
    }
  } else {
    found.set(path, typeof state === 'string' ? state : JSON.stringify(state));
  }
  return found;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
