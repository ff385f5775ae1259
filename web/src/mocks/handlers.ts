import { apiKeyHandlers } from './apiKeys';
import { auditHandlers } from './audit';
import { buildHandlers } from './builds';
import { catalogHandlers } from './catalog';
import { memberHandlers } from './members';
import { platformHandlers } from './platform';
import { projectHandlers } from './projects';
import { replicationHandlers } from './replication';
import { retentionHandlers } from './retention';
import { robotHandlers } from './robots';
import { sessionHandlers } from './session';
import { storageHandlers } from './storage';
import { upstreamHandlers } from './upstreams';

/** Every mock: a file per feature. */
export const handlers = [
  ...sessionHandlers,
  ...projectHandlers,
  ...buildHandlers,
  ...catalogHandlers,
  ...memberHandlers,
  ...apiKeyHandlers,
  ...retentionHandlers,
  ...replicationHandlers,
  ...upstreamHandlers,
  ...robotHandlers,
  ...auditHandlers,
  ...platformHandlers,
  ...storageHandlers,
];
