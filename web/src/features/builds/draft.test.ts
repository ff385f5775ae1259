import { describe, expect, it } from 'vitest';
import { ApiError } from '../../api/errors';
import { cliOf, curlOf, type Draft, draftOf, EMPTY_DRAFT, formError, quote, requestOf } from './draft';
import type { Build } from './queries';

const GIT: Draft = {
  ...EMPTY_DRAFT,
  project: 'hello',
  source: { git: { url: 'https://git.example/a.git', ref: 'main' } },
};

describe('the request of a draft', () => {
  it('leaves out what the server has by default', () => {
    expect(requestOf(GIT, undefined)).toEqual({
      project: 'hello',
      method: 'docker',
      source: { git: { url: 'https://git.example/a.git', ref: 'main' } },
      config: {},
      tags: ['latest'],
    });
  });

  it('has names and values for the lists of the form', () => {
    const config = {
      ...GIT.config,
      build_args: [{ name: 'A', value: '1' }, { name: 'B' }],
      cache_enabled: false,
    };
    expect(requestOf({ ...GIT, config }, undefined).config).toEqual({
      build_args: { A: '1', B: '' },
      cache_enabled: false,
    });
  });

  it('sends kaniko’s options by that method alone', () => {
    const config = { ...GIT.config, reproducible: true, cache_ttl_hours: 5 };
    expect(requestOf({ ...GIT, config }, undefined).config).toEqual({});
    expect(requestOf({ ...GIT, config, method: 'kaniko' }, undefined).config).toEqual({
      reproducible: true,
      cache_ttl_hours: 5,
    });
  });

  it('of an inline Dockerfile names no path', () => {
    const draft: Draft = {
      ...GIT,
      kind: 'dockerfile',
      source: { dockerfile: 'FROM x' },
      config: { ...GIT.config, dockerfile: 'other/Dockerfile' },
    };
    expect(requestOf(draft, undefined)).toMatchObject({ source: { dockerfile: 'FROM x' }, config: {} });
  });

  it('makes the same build again', () => {
    const build = {
      method: 'kaniko',
      source: { context_id: 'c1' },
      image: 'app',
      tags: ['1.0'],
      priority: 3,
      timeout_seconds: 60,
      config: { dockerfile: 'Dockerfile', build_args: { A: '1' }, reproducible: true },
    } as unknown as Build;
    expect(requestOf(draftOf(build, 'hello'), 'c1')).toEqual({
      project: 'hello',
      method: 'kaniko',
      source: { context_id: 'c1' },
      config: { build_args: { A: '1' }, reproducible: true },
      image: 'app',
      tags: ['1.0'],
      priority: 3,
      timeout_seconds: 60,
    });
  });
});

describe('commands', () => {
  it('quote what a shell would take apart', () => {
    expect(quote('plain-1.0')).toBe('plain-1.0');
    expect(quote("it's")).toBe(`'it'\\''s'`);
  });

  it('ask curl for the same build', () => {
    const curl = curlOf(GIT, { url: 'https://factory.example', tenant: 'acme' }, undefined);
    expect(curl).toContain("-H 'X-Tenant-ID: acme'");
    expect(curl).toContain('https://factory.example/api/v1/builds');
    expect(curl).toContain(JSON.stringify(requestOf(GIT, undefined)));
  });

  it('upload the context first', () => {
    const draft: Draft = { ...GIT, kind: 'context' };
    const curl = curlOf(draft, { url: 'https://factory.example', tenant: 'acme' }, undefined);
    expect(curl).toContain('--data-binary @context.tar.gz');
    expect(curl.indexOf('/contexts')).toBeLessThan(curl.indexOf('/api/v1/builds'));
  });

  it('ask the command line for the same build', () => {
    const config = {
      ...GIT.config,
      build_args: [{ name: 'A', value: 'b c' }],
      secrets: [{ id: 'npm', secret: 'NPM_TOKEN' }],
      cache_enabled: false,
      image_format: 'docker' as const,
    };
    const words = cliOf({ ...GIT, config, image: 'app' }).split(' \\\n  ');
    expect(words).toEqual([
      'image-factory build submit',
      '--project hello',
      '--git https://git.example/a.git',
      '--ref main',
      '--image app',
      '--tag latest',
      "--build-arg 'A=b c'",
      '--secret npm=NPM_TOKEN',
      '--no-cache',
      `--config '{"image_format":"docker"}'`,
      '--wait',
    ]);
  });
});

describe('faults', () => {
  it('of a named value go to its line of the list', () => {
    const draft = { ...GIT, config: { ...GIT.config, build_args: [{ name: 'A' }, { name: 'B' }] } };
    const errors = [
      { pointer: '/config/build_args/B', code: 'too_long', detail: 'too long' },
      { pointer: '/config/build_args/C', code: 'x', detail: 'x' },
      { pointer: '/image', code: 'invalid', detail: 'no' },
    ];
    const error = formError(new ApiError(422, { errors }), draft);
    expect((error as ApiError).faults.map((fault) => fault.pointer)).toEqual([
      '/config/build_args/1/value',
      '/config/build_args',
      '/image',
    ]);
  });
});
