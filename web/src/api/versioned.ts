/** Something that is edited, with the version to name when one saves it. */
export interface Versioned<T> {
  value: T;
  /** The `ETag` of the answer, for `If-Match`. */
  version: string;
}

/** The body and the version of an answer. Refusals have been thrown before; see `authorizedFetch`. */
export async function versioned<T>(call: Promise<{ data?: T; response: Response }>): Promise<Versioned<T>> {
  const { data, response } = await call;
  return { value: data as T, version: response.headers.get('ETag') ?? '' };
}
