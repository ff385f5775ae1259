import { type Column, DataTable } from '../../ui/DataTable';
import styles from './ActivityPage.module.css';
import { type Change, difference } from './difference';
import { t } from './texts';

/** What a change did to a thing, field by field. */
export function Difference({ before, after }: { before: unknown; after: unknown }) {
  const changes = difference(before, after);
  if (changes.length === 0) return <p className={styles.quiet}>{t('event.nothing')}</p>;
  const made = before === undefined || before === null;
  const gone = after === undefined || after === null;
  if (made || gone) {
    return (
      <Fields
        title={made ? t('event.created') : t('event.removed')}
        changes={changes}
        columns={[
          FIELD,
          made ? { ...AFTER, title: t('event.value') } : { ...BEFORE, title: t('event.value') },
        ]}
      />
    );
  }
  const same = changes.filter(({ kind }) => kind === 'same');
  return (
    <>
      <Fields
        title={t('event.difference')}
        changes={changes.filter(({ kind }) => kind !== 'same')}
        columns={[FIELD, BEFORE, AFTER]}
      />
      {same.length > 0 && (
        <details className={styles.same}>
          <summary>{t('event.same', { count: same.length })}</summary>
          <DataTable
            label={t('event.kind.same')}
            columns={[FIELD, { ...AFTER, title: t('event.value') }]}
            rows={same}
            rowKey={({ path }) => path}
          />
        </details>
      )}
    </>
  );
}

interface FieldsProps {
  title: string;
  changes: Change[];
  columns: Column<Change>[];
}

function Fields({ title, changes, columns }: FieldsProps) {
  return (
    <div>
      <h2 className={styles.heading}>{title}</h2>
      <DataTable label={title} columns={columns} rows={changes} rowKey={({ path }) => path} />
    </div>
  );
}

const FIELD: Column<Change> = {
  key: 'field',
  title: t('event.field'),
  render: ({ path }) => <code>{path}</code>,
};

const BEFORE: Column<Change> = {
  key: 'before',
  title: t('event.before'),
  render: ({ kind, before }) => (
    <Value text={before} mark={kind === 'changed' || kind === 'removed' ? styles.old : undefined} />
  ),
};

const AFTER: Column<Change> = {
  key: 'after',
  title: t('event.after'),
  render: ({ kind, after }) => (
    <Value text={after} mark={kind === 'changed' || kind === 'added' ? styles.fresh : undefined} />
  ),
};

function Value({ text, mark }: { text: string | undefined; mark: string | undefined }) {
  if (text === undefined) return <span className={styles.quiet}>–</span>;
  return <code className={`${styles.value} ${mark ?? ''}`}>{text}</code>;
}
