import type { Schemas } from '../../api/client';

/** Names of images, as tools and people write them. */

/** What a tool pulls: `host/acme/shop/web:1.4.0`, or by digest with `@`. */
export function referenceOf(repository: string, tagOrDigest: string, host: string): string {
  const separator = isDigest(tagOrDigest) ? '@' : ':';
  return `${host}/${repository}${separator}${tagOrDigest}`;
}

export function isDigest(tagOrDigest: string): boolean {
  return tagOrDigest.includes(':');
}

/** `linux/arm64/v8`, as far as it is known. */
export function platformName({ os, architecture, variant }: Partial<Schemas['PlatformManifest']>): string {
  return [os, architecture, variant].filter(Boolean).join('/') || '?';
}

const SHOWN = 12;

/** `sha256:6798fd1d045d…`: enough to recognise it by. */
export function shortDigest(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return hex.length > SHOWN ? `${algorithm}:${hex.slice(0, SHOWN)}…` : digest;
}

/** Arguments as one would type them. */
export function asCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** The instruction behind a layer: `COPY app /app` of `/bin/sh -c #(nop) COPY file:5c99... in /app`. */
export function instructionOf(createdBy: string): string {
  return createdBy
    .trim()
    .replace(/^\/bin\/sh -c #\(nop\)\s*/, '')
    .replace(/^\/bin\/sh -c /, 'RUN ')
    .replace(/\b(file|dir|multi):([0-9a-f]{8})[0-9a-f]{56}\b/g, '$1:$2…');
}
