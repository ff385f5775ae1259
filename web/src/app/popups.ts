/** Menus of the header open inside of it: what stands outside of all landmarks is hard to find for screen readers. */
export function inHeader(trigger: HTMLElement): HTMLElement {
  return trigger.closest('header') ?? document.body;
}
