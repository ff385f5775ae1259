import { useEffect, useState } from 'react';

/** The present time, renewed every `periodMs`; `null` stops the clock. */
export function useNow(periodMs: number | null): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (periodMs === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
  return now;
}
