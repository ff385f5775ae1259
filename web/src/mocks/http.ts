import { type HttpHandler, HttpResponse, http } from 'msw';
import type { paths } from '../api/generated/schema';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

type Responses<P extends keyof paths, M extends Method> = paths[P][M] extends { responses: infer R }
  ? R
  : never;

type Json<T> = T extends { content: { 'application/json': infer B } } ? B : null;

/** The body of a success, as the API's description has it. */
type Success<R> = Json<R[Extract<keyof R, 200 | 201 | 202 | 204>]>;

type Body<P extends keyof paths, M extends Method> = paths[P][M] extends {
  requestBody: { content: { 'application/json': infer B } };
}
  ? B
  : undefined;

interface Call<P extends keyof paths, M extends Method> {
  params: Record<string, string>;
  query: URLSearchParams;
  body: Body<P, M>;
  request: Request;
}

const STATUS: Record<Method, number> = { get: 200, post: 201, put: 200, patch: 200, delete: 200 };

/** A refusal, thrown by an answer. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: { pointer: string; code: string; detail: string }[] = [],
  ) {}
}

/** The pattern of a path's address. */
function urlOf(path: keyof paths): string {
  return `*/api/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
}

/** A handler whose path and answer the compiler checks against the API's description. */
export function mock<M extends Method, P extends PathsWith<M>>(
  method: M,
  path: P,
  answer: (call: Call<P, M>) => Success<Responses<P, M>>,
): HttpHandler {
  return http[method](urlOf(path), async ({ request, params }) => {
    const isJson = request.headers.get('content-type')?.includes('json');
    const call = {
      params: params as Record<string, string>,
      query: new URL(request.url).searchParams,
      body: (isJson ? await request.json() : undefined) as Body<P, M>,
      request,
    };
    try {
      const body = answer(call);
      return body === null
        ? new HttpResponse(null, { status: 204 })
        : HttpResponse.json(body as object, { status: STATUS[method] });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, detail, errors } = error;
      const problem = {
        type: `urn:image-factory:problem:${code}`,
        title: code,
        status,
        code,
        detail,
        errors,
      };
      return HttpResponse.json(problem, { status, headers: { 'Content-Type': 'application/problem+json' } });
    }
  });
}

interface Opening {
  params: Record<string, string>;
  lastEventId: string | null;
}

/** A handler of a stream of server-sent events, which the caller takes at their own pace. */
export function stream(
  path: PathsWith<'get'>,
  open: (opening: Opening) => AsyncGenerator<string>,
): HttpHandler {
  return http.get(urlOf(path), ({ request, params }) => {
    const frames = open({
      params: params as Record<string, string>,
      lastEventId: request.headers.get('Last-Event-ID'),
    });
    const body = new ReadableStream<string>({
      async pull(controller) {
        const { value, done } = await frames.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    return new HttpResponse(body.pipeThrough(new TextEncoderStream()), {
      headers: { 'Content-Type': 'text/event-stream' },
    });
  });
}

export function frame(event: string, data: unknown, id?: number): string {
  const position = id === undefined ? '' : `id: ${id}\n`;
  return `${position}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const SIGN_OF_LIFE = ': alive\n\n';

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The first page of a list that has no second one. */
export function page<T>(items: T[]): { items: T[]; next_cursor: null } {
  return { items, next_cursor: null };
}
