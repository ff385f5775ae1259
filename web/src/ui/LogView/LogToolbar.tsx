import {
  ClockCircleOutlined,
  DownloadOutlined,
  DownOutlined,
  MenuFoldOutlined,
  MenuUnfoldOutlined,
  UpOutlined,
  VerticalAlignBottomOutlined,
} from '@ant-design/icons';
import { Button, Input, type InputRef, Tooltip } from 'antd';
import type { ReactElement, RefObject } from 'react';
import { formatCount } from '../../lib/numbers';
import styles from './LogView.module.css';
import { t } from './texts';

interface Props {
  searchInput: RefObject<{ focus: () => void } | null>;
  query: string;
  onQuery: (query: string) => void;
  matches: readonly number[];
  searching: boolean;
  match: number | undefined;
  onMatch: (direction: 1 | -1) => void;
  times: boolean;
  onTimes: (show: boolean) => void;
  folded: boolean;
  /** Missing where there are no steps. */
  onFold: ((fold: boolean) => void) | undefined;
  live: boolean;
  following: boolean;
  onFollow: (follow: boolean) => void;
  downloadUrl: string;
  notice: string | undefined;
}

export function LogToolbar(props: Props) {
  const { searchInput, query, onQuery, matches, searching, match, onMatch, notice } = props;
  return (
    <div className={styles.toolbar}>
      <Input
        ref={(input: InputRef | null) => {
          searchInput.current = input;
        }}
        className={styles.search ?? ''}
        aria-label={t('search')}
        placeholder={t('search')}
        allowClear
        value={query}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onMatch(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') onQuery('');
        }}
      />
      {query && (
        <>
          <span className={styles.count} role="status">
            {countText(matches, match, searching)}
          </span>
          <Tool icon={<UpOutlined />} label={t('previous')} onClick={() => onMatch(-1)} />
          <Tool icon={<DownOutlined />} label={t('next')} onClick={() => onMatch(1)} />
        </>
      )}
      <span className={styles.space} role="status">
        {notice}
      </span>
      {props.live && (
        <Tool
          icon={<VerticalAlignBottomOutlined />}
          label={t('follow')}
          pressed={props.following}
          onClick={() => props.onFollow(!props.following)}
        />
      )}
      {props.onFold && (
        <Tool
          icon={props.folded ? <MenuUnfoldOutlined /> : <MenuFoldOutlined />}
          label={props.folded ? t('unfold') : t('fold')}
          onClick={() => props.onFold?.(!props.folded)}
        />
      )}
      <Tool
        icon={<ClockCircleOutlined />}
        label={t('times')}
        pressed={props.times}
        onClick={() => props.onTimes(!props.times)}
      />
      <Tooltip title={t('download')}>
        <Button
          type="text"
          icon={<DownloadOutlined />}
          aria-label={t('download')}
          href={props.downloadUrl}
          download
        />
      </Tooltip>
    </div>
  );
}

interface ToolProps {
  icon: ReactElement;
  label: string;
  pressed?: boolean;
  onClick: () => void;
}

function Tool({ icon, label, pressed, onClick }: ToolProps) {
  return (
    <Tooltip title={label}>
      <Button
        type={pressed ? 'primary' : 'text'}
        ghost={pressed ?? false}
        icon={icon}
        aria-label={label}
        aria-pressed={pressed}
        onClick={onClick}
      />
    </Tooltip>
  );
}

function countText(matches: readonly number[], match: number | undefined, searching: boolean): string {
  const count = formatCount(matches.length);
  if (searching) return t('searching', { count });
  if (matches.length === 0) return t('noMatch');
  if (match === undefined) return t('matches', { count });
  return t('position', { position: formatCount(matches.indexOf(match) + 1), count });
}
