import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import { useMediaQuery } from '../lib/useMediaQuery';
import { type Appearance, applyAppearance } from './theme';

export type AppearanceChoice = Appearance | 'system';

export const APPEARANCES = ['light', 'dark', 'system'] as const satisfies readonly AppearanceChoice[];

interface AppearanceContext {
  choice: AppearanceChoice;
  appearance: Appearance;
  choose: (choice: AppearanceChoice) => void;
}

const STORAGE_KEY = 'image-factory.appearance';
const Context = createContext<AppearanceContext | null>(null);

/** Light, dark, or as the system has it; remembered on this device. */
export function AppearanceProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState<AppearanceChoice>(storedChoice);
  const systemIsDark = useMediaQuery('(prefers-color-scheme: dark)');
  const appearance = choice === 'system' ? (systemIsDark ? 'dark' : 'light') : choice;

  useEffect(() => applyAppearance(appearance), [appearance]);

  const value = useMemo(
    () => ({
      choice,
      appearance,
      choose: (next: AppearanceChoice) => {
        localStorage.setItem(STORAGE_KEY, next);
        setChoice(next);
      },
    }),
    [choice, appearance],
  );
  return <Context value={value}>{children}</Context>;
}

export function useAppearance(): AppearanceContext {
  const context = use(Context);
  if (!context) throw new Error('useAppearance needs an AppearanceProvider around it');
  return context;
}

function storedChoice(): AppearanceChoice {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}
