import styles from './columns.module.css';
import type { Build } from './queries';
import { t } from './texts';

/** What is built, in a few words: the ref and its repository, or the kind of source. */
export function SourceText({ build }: { build: Build }) {
  const { git, context_id } = build.source;
  if (git) {
    const ref = build.commit ? `${git.ref ?? 'HEAD'} @ ${build.commit.sha.slice(0, 8)}` : (git.ref ?? 'HEAD');
    return (
      <span className={styles.source} title={build.commit?.message}>
        <span>{ref}</span>
        <span className={styles.quiet}>{shortRepository(git.url)}</span>
      </span>
    );
  }
  return <span>{context_id ? t('source.context') : t('source.dockerfile')}</span>;
}

/** `git.example/acme/hello` of a repository's address. */
export function shortRepository(url: string): string {
  return url
    .replace(/^[a-z+]+:\/\//i, '')
    .replace(/^[^@/]*@/, '')
    .replace(/\.git$/, '');
}
