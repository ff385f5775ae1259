export { CHUNK_LINES, LogBuffer, type LogLine } from './LogBuffer';
export { LogView } from './LogView';
export type { LogSection } from './rows';
