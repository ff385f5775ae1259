import { StateTag } from '../../ui/StateTag';
import type { Image } from './queries';

/** What matters most of an image's state: a hold, else how far it is in its life. */
export function ImageState({ image }: { image: Image }) {
  return <StateTag state={image.hold === 'none' ? image.lifecycle : image.hold} />;
}

/** `linux/amd64`, where the newest manifest is for one platform. */
export function platformOf({ metadata }: Image): string | undefined {
  return metadata?.os && metadata.architecture ? `${metadata.os}/${metadata.architecture}` : undefined;
}
