import { describe, expect, it } from 'vitest';
import { asCommand, instructionOf, platformName, referenceOf, shortDigest } from './references';

const DIGEST = `sha256:${'6798fd1d045d8e2d'.repeat(4)}`;

describe('referenceOf', () => {
  it('joins tags by a colon and digests by an at sign', () => {
    expect(referenceOf('acme/shop/web', '1.4.0', 'images.example')).toBe(
      'images.example/acme/shop/web:1.4.0',
    );
    expect(referenceOf('acme/shop/web', DIGEST, 'images.example')).toBe(
      `images.example/acme/shop/web@${DIGEST}`,
    );
  });
});

describe('shortDigest', () => {
  it('keeps the algorithm and the first digits', () => {
    expect(shortDigest(DIGEST)).toBe('sha256:6798fd1d045d…');
    expect(shortDigest('sha256:abc')).toBe('sha256:abc');
  });
});

describe('asCommand', () => {
  it('quotes what a shell would take apart', () => {
    expect(asCommand(['/app', '--name=web', 'two words', `it's`])).toBe(
      `/app --name=web 'two words' 'it'\\''s'`,
    );
  });
});

describe('instructionOf', () => {
  it('shows the instruction without the words of the tool', () => {
    const hash = '5c99770e14174984609cb182058c7ad7d56e7e4c142997f95d39022a210eb4ff';
    expect(instructionOf(`/bin/sh -c #(nop) COPY file:${hash} in /app `)).toBe('COPY file:5c99770e… in /app');
    expect(instructionOf('/bin/sh -c apk add curl')).toBe('RUN apk add curl');
    expect(instructionOf('COPY app /app # buildkit')).toBe('COPY app /app # buildkit');
  });
});

it('names a platform by what is known of it', () => {
  expect(platformName({ os: 'linux', architecture: 'arm64', variant: 'v8' })).toBe('linux/arm64/v8');
  expect(platformName({ os: 'linux', architecture: 'amd64' })).toBe('linux/amd64');
  expect(platformName({})).toBe('?');
});
