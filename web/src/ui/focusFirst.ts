/**
 * Puts the cursor into the first field. For drawers and dialogs once they are open: until then their content is outside of
 * the page, where `autoFocus` does nothing.
 */
export function focusFirst(container: Element | null | undefined): void {
  container?.querySelector<HTMLElement>('input:not([readonly]), textarea:not([readonly])')?.focus();
}
