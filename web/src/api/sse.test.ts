import { describe, expect, it } from 'vitest';
import { FrameParser } from './sse';

describe('server-sent events', () => {
  it('are put together from pieces', () => {
    const parser = new FrameParser();
    expect(parser.push('id: 7\nevent: li')).toEqual([]);
    expect(parser.push('nes\ndata: [1]\n')).toEqual([]);
    expect(parser.push('\nevent: end\ndata: {}\n\n')).toEqual([
      { id: '7', event: 'lines', data: '[1]' },
      { id: undefined, event: 'end', data: '{}' },
    ]);
  });

  it('may have several lines of data, and comments that say nothing', () => {
    expect(new FrameParser().push(': alive\n\ndata: a\ndata:b\n\n')).toEqual([
      { id: undefined, event: 'message', data: 'a\nb' },
    ]);
  });

  it('may end their lines as Windows does', () => {
    expect(new FrameParser().push('data: a\r\n\r\n')).toHaveLength(1);
  });
});
