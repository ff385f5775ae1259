import { useSearch } from '@tanstack/react-router';
import { SignInPage } from '../features/identity/SignInPage';
import { safeNext } from './paths';

export default function SignInRoute() {
  const { next } = useSearch({ from: '/signin' });
  return <SignInPage next={safeNext(next)} />;
}
