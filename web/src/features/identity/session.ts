import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';

export function useSignIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (credentials: { email: string; password: string }) =>
      body(api().POST('/auth/login', { body: credentials })),
    // Nothing of who was here before may stay.
    onSuccess: () => queryClient.clear(),
  });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (passwords: { current_password: string; new_password: string }) =>
      body(api().POST('/me/password', { body: passwords })),
  });
}

/** Ends every session of the reader, this one too. */
export async function endAllSessions(): Promise<void> {
  await api().DELETE('/me/sessions');
}
