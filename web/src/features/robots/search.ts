import { text } from '../../lib/search';

/** The page of the list, and the robot account whose drawer is open. */
export interface RobotsSearch {
  cursor?: string | undefined;
  robot?: string | undefined;
}

export function robotsSearch(raw: Record<string, unknown>): RobotsSearch {
  return { cursor: text(raw.cursor), robot: text(raw.robot) };
}
