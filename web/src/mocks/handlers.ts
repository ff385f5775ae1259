import { buildHandlers } from './builds';
import { sessionHandlers } from './session';

/** Every mock: a file per feature. */
export const handlers = [...sessionHandlers, ...buildHandlers];
