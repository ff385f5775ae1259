import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useTenant } from '../../api/queries';
import { type Image, manifestQuery } from './queries';

/**
 * The manifest that the address names, or the newest: `top` as it is, and `shown` with the layers and the configuration,
 * which of an index is that of the chosen platform, or of its first.
 */
export function useChosen(image: Image) {
  const tenant = useTenant();
  const { pull, platform } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const reference = pull ?? image.tag ?? image.digest;
  const top = useQuery(manifestQuery(tenant, image.id, reference));
  const platforms = top.data?.platforms ?? [];
  const digest = (platforms.find((each) => each.digest === platform) ?? platforms[0])?.digest;
  const part = useQuery({
    ...manifestQuery(tenant, image.id, digest ?? ''),
    enabled: digest !== undefined,
  });
  return { reference, top, shown: digest === undefined ? top : part, platforms, platform: digest };
}
