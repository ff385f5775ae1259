import './app/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no element #root');

if (import.meta.env.MODE === 'mock') {
  const { startMocks } = await import('./mocks/browser');
  await startMocks();
}

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
