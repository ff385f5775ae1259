import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { authorizedFetch, csrfToken, onSignedOut } from './http';

const url = (path: string) => `${location.origin}/api/v1${path}`;
const unauthorized = () => new Response(null, { status: 401 });

describe('the CSRF token', () => {
  it.each([
    ['image_factory_csrf=abc', 'abc'],
    ['a=b; __Host-image_factory_csrf=x%3D; c=d', 'x='],
    ['other=1', ''],
  ])('of %s', (cookies, token) => {
    expect(csrfToken(cookies)).toBe(token);
  });
});

describe('a request in a session', () => {
  const fetched = vi.fn<typeof fetch>();

  beforeEach(() => vi.stubGlobal('fetch', fetched.mockReset()));
  afterEach(() => {
    vi.unstubAllGlobals();
    localStorage.clear();
  });

  const paths = () => fetched.mock.calls.map(([request]) => new URL((request as Request).url).pathname);

  it('is repeated after the session was renewed once for all', async () => {
    let renewed = false;
    fetched.mockImplementation(async (request) => {
      const { pathname } = new URL((request as Request).url);
      if (pathname.endsWith('/refresh')) {
        renewed = true;
        return new Response('{}');
      }
      return renewed ? new Response('{}') : unauthorized();
    });
    const both = await Promise.all(
      ['/a', '/b'].map((path) => authorizedFetch(new Request(url(path), { method: 'POST', body: '{}' }))),
    );
    expect(both.map((response) => response.status)).toEqual([200, 200]);
    expect(paths().filter((path) => path.endsWith('/refresh'))).toHaveLength(1);
  });

  it('tells that the session is over when it cannot be renewed', async () => {
    const over = vi.fn();
    onSignedOut(over);
    fetched.mockImplementation(async () => unauthorized());
    await expect(authorizedFetch(new Request(url('/a')))).rejects.toMatchObject({ status: 401 });
    expect(over).toHaveBeenCalledOnce();
  });

  it('fails as such when nobody answers', async () => {
    fetched.mockRejectedValue(new TypeError('failed to fetch'));
    await expect(authorizedFetch(new Request(url('/a')))).rejects.toMatchObject({
      status: 0,
      isTransient: true,
    });
  });
});
