import { defineTexts } from '../../lib/texts';

export const t = defineTexts('identity', {
  product: 'Image Factory',
  signIn: {
    title: 'Sign in',
    email: 'Email',
    password: 'Password',
    submit: 'Sign in',
    help: 'Lost your password? An administrator of your installation can give you a new one.',
  },
  password: {
    title: 'Change your password',
    why: 'Your password was given to you by somebody else. Choose your own to go on.',
    current: 'Current password',
    fresh: 'New password',
    rule: '12 to 128 characters. Nothing else is asked of it.',
    again: 'New password again',
    different: 'The two are not the same.',
    required: 'Fill this in.',
    submit: 'Change password',
    signOut: 'Sign out',
  },
});
