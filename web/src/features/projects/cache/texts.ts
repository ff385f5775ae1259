import { defineTexts } from '../../../lib/texts';

export const t = defineTexts('cache', {
  forbidden: 'You may not see whether this is a cache',
  empty: 'Not a cache of another registry',
  emptyHint:
    'As a cache the project fetches from another registry what is pulled from it and is not here, and keeps it. Nobody pushes to a cache and no build stores images in it, so only a project without images can become one.',
  add: 'Make it a cache',
  addTitle: 'Make {{name}} a cache',
  submit: 'Make it a cache',
  added: '{{name}} is a cache now.',
  url: 'Address',
  urlHint:
    'Docker Hub is https://registry-1.docker.io. A path is put before the names of images: with https://ghcr.io/acme, app is acme/app there.',
  usernameHint:
    'Empty: nobody signs in there. Whoever may pull from this project pulls in this name and sees what it may see.',
  passwordHint: 'Stored encrypted and never shown again.',
  passwordAgain: 'Never shown. Whatever you change, give it again; to sign in no more, empty the user name.',
  freshness: 'A tag stays fresh for',
  freshnessHint:
    'For so long a tag is served without asking there whether it has moved. When the other registry does not answer, what is known is served.',
  freshnessNone: 'No time: every pull asks',
  pull: 'Pull through the cache',
  pullHint:
    'image:tag stands for what is called {{url}}/image:tag there. Official images of Docker Hub begin with library/.',
  toImages: 'Show what it has',
  about: 'The other registry',
  signsIn: 'Signs in as',
  nobody: 'nobody',
  since: 'A cache since',
  changed: 'Changed',
  change: 'Change',
  changeTitle: 'What {{name}} is a cache of',
  saved: 'Saved. It holds for the next pull.',
  end: 'Stop being a cache',
  endHint: 'The project is like others again, with the images that it has.',
  endTitle: 'Shall {{name}} stop being a cache?',
  endText:
    'Nothing more is fetched from {{url}}, and the sign-in is forgotten. The images that {{name}} has stay; others cannot be pulled from it any more. Pushes and builds go to it again.',
  endConfirm: 'Stop caching',
  ended: '{{name}} is a project like others again.',
});
