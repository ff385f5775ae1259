import { buildHandlers } from './builds';
import { catalogHandlers } from './catalog';
import { platformHandlers } from './platform';
import { sessionHandlers } from './session';

/** Every mock: a file per feature. */
export const handlers = [...sessionHandlers, ...buildHandlers, ...catalogHandlers, ...platformHandlers];
