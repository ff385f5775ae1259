import i18next from 'i18next';

/** Texts by key; a leaf may hold `{{values}}` and have `_one`/`_other` siblings for counts. */
export interface TextTree {
  readonly [key: string]: string | TextTree;
}

type PluralStem<K extends string> = K extends `${infer Stem}_one` | `${infer Stem}_other` ? Stem : K;

type KeyOf<T extends TextTree> = {
  [K in keyof T & string]: T[K] extends TextTree ? `${K}.${KeyOf<T[K]>}` : PluralStem<K>;
}[keyof T & string];

export type Translate<T extends TextTree> = (
  key: KeyOf<T>,
  values?: Record<string, string | number>,
) => string;

void i18next.init({
  lng: 'en',
  resources: {},
  // React escapes; escaping twice would show entities.
  interpolation: { escapeValue: false },
});

/** Registers the texts of a feature under its own namespace and gives the function that looks them up. */
export function defineTexts<const T extends TextTree>(namespace: string, english: T): Translate<T> {
  i18next.addResourceBundle('en', namespace, english);
  return (key, values) => i18next.t(key, { ns: namespace, ...values });
}
