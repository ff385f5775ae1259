import { type ThemeConfig, theme } from 'antd';

/** Every colour of the app stands in this file. Elsewhere use the variables that it sets. */

export type Appearance = 'light' | 'dark';

interface Palette {
  primary: string;
  primaryHover: string;
  link: string;
  /** Under the pointer, where it must stay readable. */
  linkHover: string;
  success: string;
  warning: string;
  /** Behind a warning. */
  warningSurface: string;
  error: string;
  /** On a filling of `error`. */
  onError: string;
  /** Behind the content. */
  canvas: string;
  surface: string;
  /** Menus, dialogs and what else floats. */
  elevated: string;
  secondaryText: string;
  /** The sixteen colours of terminals, readable on `logBackground`. */
  ansi: string[];
  logBackground: string;
  logText: string;
  logMuted: string;
  logHover: string;
  logMarked: string;
  logMatch: string;
  logCurrentMatch: string;
  logMatchText: string;
}

const PALETTES: Record<Appearance, Palette> = {
  light: {
    primary: '#2f54d0',
    primaryHover: '#2444b0',
    link: '#2f54d0',
    linkHover: '#2444b0',
    success: '#1a7f37',
    warning: '#9a5b00',
    warningSurface: '#fff6e0',
    error: '#c0272d',
    onError: '#ffffff',
    canvas: '#f6f7f9',
    surface: '#ffffff',
    elevated: '#ffffff',
    secondaryText: '#57606a',
    ansi: [
      '#24292f',
      '#b3261e',
      '#116329',
      '#7d4e00',
      '#0a53be',
      '#8250df',
      '#13696f',
      '#57606a',
      '#57606a',
      '#a40e26',
      '#1a7f37',
      '#805600',
      '#1f5fcc',
      '#8a46d8',
      '#14707a',
      '#32383f',
    ],
    logBackground: '#fbfcfd',
    logText: '#1f2328',
    logMuted: '#656d76',
    logHover: '#eef1f5',
    logMarked: '#fff3c4',
    logMatch: '#ffe08a',
    logCurrentMatch: '#ff9d4d',
    logMatchText: '#1f2328',
  },
  dark: {
    primary: '#4f74ec',
    primaryHover: '#3f5fcf',
    link: '#8aa6ff',
    linkHover: '#a9bdff',
    success: '#3fb950',
    warning: '#d8992b',
    warningSurface: '#2b2111',
    error: '#ff7b72',
    onError: '#1d0b0a',
    canvas: '#0e1116',
    surface: '#161a21',
    elevated: '#1d222b',
    secondaryText: '#9aa4b0',
    ansi: [
      '#8b949e',
      '#ff7b72',
      '#56d364',
      '#e3b341',
      '#79b8ff',
      '#d2a8ff',
      '#56d4dd',
      '#c9d1d9',
      '#9aa4b0',
      '#ffa198',
      '#7ee787',
      '#f2cc60',
      '#a5d1ff',
      '#e2c5ff',
      '#7ce0e8',
      '#f0f6fc',
    ],
    logBackground: '#0b0e13',
    logText: '#d7dde5',
    logMuted: '#8b949e',
    logHover: '#171c24',
    logMarked: '#3a3214',
    logMatch: '#7a5d00',
    logCurrentMatch: '#b35c00',
    logMatchText: '#ffffff',
  },
};

/** The theme of Ant Design's components. */
export function antdTheme(appearance: Appearance, motion: boolean): ThemeConfig {
  const palette = PALETTES[appearance];
  return {
    cssVar: { key: 'image-factory' },
    hashed: false,
    algorithm: appearance === 'dark' ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      motion,
      colorPrimary: palette.primary,
      colorPrimaryHover: palette.primaryHover,
      colorInfo: palette.primary,
      colorLink: palette.link,
      colorLinkHover: palette.linkHover,
      colorSuccess: palette.success,
      colorWarning: palette.warning,
      colorWarningBg: palette.warningSurface,
      colorError: palette.error,
      colorBgLayout: palette.canvas,
      colorBgContainer: palette.surface,
      colorBgElevated: palette.elevated,
      colorTextSecondary: palette.secondaryText,
      colorTextDescription: palette.secondaryText,
      colorTextTertiary: palette.secondaryText,
      colorTextPlaceholder: palette.secondaryText,
      borderRadius: 6,
      fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
      fontFamilyCode: "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'Liberation Mono', monospace",
    },
    components: {
      // Chosen entries bear the colour of links: as text, the primary colour is too dark in the dark.
      Dropdown: { colorPrimary: palette.link },
      Button: {
        dangerColor: palette.onError,
        defaultHoverColor: palette.link,
        defaultHoverBorderColor: palette.link,
        defaultActiveColor: palette.link,
        defaultActiveBorderColor: palette.link,
      },
    },
  };
}

/** The variables of stylesheets, beside those of Ant Design (`--ant-...`). */
export function applyAppearance(appearance: Appearance, root = document.documentElement): void {
  const palette = PALETTES[appearance];
  root.dataset.appearance = appearance;
  root.style.colorScheme = appearance;
  const set = (name: string, value: string) => root.style.setProperty(name, value);
  set('--canvas', palette.canvas);
  set('--surface', palette.surface);
  set('--log-background', palette.logBackground);
  set('--log-text', palette.logText);
  set('--log-muted', palette.logMuted);
  set('--log-hover', palette.logHover);
  set('--log-marked', palette.logMarked);
  set('--log-match', palette.logMatch);
  set('--log-current-match', palette.logCurrentMatch);
  set('--log-match-text', palette.logMatchText);
  palette.ansi.forEach((colour, n) => {
    set(`--ansi-${n}`, colour);
  });
}
