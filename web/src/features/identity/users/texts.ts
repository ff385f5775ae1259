import { defineTexts } from '../../../lib/texts';

/** What administrators of the installation read about people. */
export const t = defineTexts('users', {
  title: 'Users',
  about: 'The people of the installation. Tenants give them roles of their own.',
  filter: { label: 'Users by status', all: 'All', email: 'Exact address' },
  columns: {
    person: 'Person',
    roles: 'System roles',
    status: 'Status',
    lastLogin: 'Last sign-in',
    created: 'Added',
  },
  never: 'never',
  you: 'you',
  empty: {
    filtered: 'Nobody matches',
    filteredHint: 'Addresses are compared as a whole, in any case.',
    all: 'Show everybody',
    title: 'Nobody is here yet',
  },
  role: {
    system_admin: 'System administrator',
    security_admin: 'Security administrator',
    platform_operator: 'Platform operator',
    auditor: 'Auditor',
  },
  roleAbout: {
    system_admin: 'May do everything, in every tenant',
    security_admin: 'Governs security; sees every tenant',
    platform_operator: 'Pauses and resumes dispatch; does not see into tenants',
    auditor: 'Reads all, changes nothing',
  },
  create: {
    open: 'New user',
    title: 'New user',
    submit: 'Add',
    email: 'Address',
    emailHint: 'They sign in with it. It cannot be changed.',
    emailRule: 'An address such as name@example.com.',
    name: 'Name',
    roles: 'System roles',
    rolesHint: 'Most people need none: what they do in a tenant is a role of the tenant.',
    password:
      'They get a one-time password, which is shown to you once and which they must change at the first sign-in.',
    required: 'Fill this in.',
  },
  edit: {
    facts: 'Person',
    email: 'Address',
    id: 'Id',
    mustChange: 'Password',
    mustChangeText: 'One-time; must be changed at the next sign-in',
    name: 'Name',
    roles: 'System roles',
    saved: 'Saved',
    access: 'Access',
  },
  action: {
    disable: 'Disable',
    disableTitle: 'Disable {{name}}?',
    disableText:
      'They are signed out everywhere at once and cannot sign in again; their API keys stop working. What they made stays.',
    enable: 'Enable',
    enableTitle: 'Enable {{name}}?',
    enableText: 'They can sign in again with the password they had; their API keys work again.',
    reset: 'Reset password',
    resetTitle: 'Give {{name}} a new password?',
    resetText:
      'The present password stops working and they are signed out everywhere. You get a one-time password to pass on. Their API keys go on working.',
    end: 'End sessions',
    endTitle: 'Sign {{name}} out everywhere?',
    endText: 'They must sign in again on every device. Their password and API keys stay.',
    ended: 'Signed out everywhere',
    self: 'This is you. Another administrator can do it; your own password is changed in your profile.',
  },
  oneTime: {
    title: 'Password of {{email}}',
    warning: 'It is shown this once, and must be changed at the next sign-in.',
    copy: 'Copy the password',
  },
});
