import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useTenant } from '../../api/queries';
import { EmptyState } from '../../ui/EmptyState';
import { FilterBar } from '../../ui/FilterBar';
import { FilterLinks } from '../../ui/FilterLinks';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { SearchFilter } from '../../ui/SearchFilter';
import { stateName } from '../../ui/StateTag';
import { useImageColumns } from './columns';
import { imagesQuery } from './queries';
import { LIFECYCLES } from './search';
import { t } from './texts';

/** The images of the tenant or of one project, newest push first. */
export function ImagesPage() {
  const tenant = useTenant();
  const search = useSearch({ from: '/_app/$tenant/images' });
  const query = useQuery(imagesQuery(tenant, search));
  const columns = useImageColumns(tenant);
  return (
    <>
      <PageHeader title={t('title')} />
      <FilterBar>
        <FilterLinks
          label={t('filter')}
          name="lifecycle"
          current={search.lifecycle}
          choices={[
            { value: undefined, label: t('all') },
            ...LIFECYCLES.map((value) => ({ value, label: stateName(value) })),
          ]}
        />
        <SearchFilter name="q" value={search.q} label={t('search')} />
      </FilterBar>
      <QueryTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={(image) => image.id}
        empty={<NoImages filtered={Boolean(search.q || search.project || search.lifecycle)} />}
      />
    </>
  );
}

function NoImages({ filtered }: { filtered: boolean }) {
  const tenant = useTenant();
  if (filtered) {
    return (
      <EmptyState
        title={t('empty.filtered')}
        hint={t('empty.filteredHint')}
        action={
          <Link to="/$tenant/images" params={{ tenant }}>
            {t('empty.all')}
          </Link>
        }
      />
    );
  }
  return (
    <EmptyState
      title={t('empty.title')}
      hint={t('empty.hint')}
      action={
        <Link to="/$tenant/builds/new" params={{ tenant }}>
          {t('empty.toBuilds')}
        </Link>
      }
    />
  );
}
