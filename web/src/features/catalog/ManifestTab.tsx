import type { ReactNode } from 'react';
import { QueryPart } from '../../ui/QueryPart';
import { PlatformChoice } from './PlatformChoice';
import type { Image, Manifest } from './queries';
import { useChosen } from './useChosen';

interface Props {
  image: Image;
  children: (manifest: Manifest) => ReactNode;
}

/** A tab about the chosen manifest; of one for several platforms, about one of these. */
export function ManifestTab({ image, children }: Props) {
  const { shown, platforms, platform } = useChosen(image);
  return (
    <>
      <PlatformChoice platforms={platforms} current={platform} />
      <QueryPart query={shown}>{children}</QueryPart>
    </>
  );
}
