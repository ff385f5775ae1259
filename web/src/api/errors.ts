import type { components } from './generated/schema';

type Problem = components['schemas']['Problem'];
export type Fault = components['schemas']['Fault'];

/** A refusal or failure of the API, from its `application/problem+json` body (RFC 9457). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Stable and machine-readable, such as `build.not_cancellable`. */
  readonly code: string;
  /** Every fault of the request, with JSON pointers into its body. */
  readonly faults: readonly Fault[];
  /** Under this id the service's log has more. */
  readonly traceId: string | undefined;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.faults = problem.errors ?? [];
    this.traceId = problem.trace_id ?? undefined;
  }

  /** No answer came, or a proxy's: trying again may help. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A refusal that one field caused, with the field named: by the refusal's code. */
export function blamed(error: unknown, fields: Readonly<Record<string, string>>): unknown {
  const field = error instanceof ApiError && error.faults.length === 0 ? fields[error.code] : undefined;
  if (!(error instanceof ApiError) || field === undefined) return error;
  const fault = { pointer: `/${field}`, code: error.code, detail: error.message };
  return new ApiError(error.status, { code: error.code, detail: error.message, errors: [fault] });
}

export async function problemOf(response: Response): Promise<ApiError> {
  const isProblem = response.headers.get('content-type')?.includes('json');
  const body: unknown = isProblem ? await response.json().catch(() => null) : null;
  return new ApiError(response.status, isRecord(body) ? body : {});
}

function isRecord(value: unknown): value is Partial<Problem> {
  return typeof value === 'object' && value !== null;
}

/** The path of a form field: `['config', 'secrets', 0, 'id']`. */
export type FieldPath = (string | number)[];

/** The field that a JSON pointer (RFC 6901) names; a query parameter (`?name`) is a field of its own. */
export function fieldPath(pointer: string): FieldPath {
  if (!pointer.startsWith('/')) return [pointer.replace(/^\?/, '')];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
