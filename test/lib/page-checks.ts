/** What can be measured of how a page looks. Scripts for the page are text: the checkout's types know no browser. */

import type { Page } from "playwright-core";

/** Pixels that the page is wider than the window. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate<number>(
    "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth",
  );
}

/** Links, buttons and fields that a finger could miss, each with its size. */
export async function smallTargets(page: Page, least = 44): Promise<string[]> {
  return await page.evaluate<string[]>(`
    [...document.querySelectorAll("a, button, input")]
      .filter((each) => each.checkVisibility())
      .map((each) => [each, each.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < ${least} || height < ${least})
      .map(([each, { width, height }]) => each.outerHTML.slice(0, 60) + " " + width + "x" + height)`);
}

/** Texts whose colour has less contrast to their ground than WCAG 2 asks for (4.5, or 3 when they are large). */
export async function faintTexts(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`
    (() => {
      const channels = (color) => color.match(/[\\d.]+/g).map(Number);
      const luminance = (color) => {
        const [r, g, b] = channels(color).map((c) => c / 255)
          .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const groundOf = (element) => {
        for (let each = element; each; each = each.parentElement) {
          const { backgroundColor } = getComputedStyle(each);
          if ((channels(backgroundColor)[3] ?? 1) === 1) return backgroundColor;
        }
        return getComputedStyle(document.documentElement).backgroundColor;
      };
      const faint = [];
      for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
        if ((!own && element.tagName !== "INPUT") || !element.checkVisibility()) continue;
        const { color, fontSize, fontWeight } = getComputedStyle(element);
        const [light, dark] = [luminance(color), luminance(groundOf(element))].sort((a, b) => b - a);
        const contrast = (light + 0.05) / (dark + 0.05);
        const size = parseFloat(fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
        if (contrast < (isLarge ? 3 : 4.5)) faint.push(element.outerHTML.slice(0, 80) + " " + contrast.toFixed(2));
      }
      return faint;
    })()`);
}

/** Texts of which a part does not fit into their element. */
export async function cutTexts(page: Page, selector: string): Promise<string[]> {
  return await page.evaluate<string[]>(`
    [...document.querySelectorAll(${JSON.stringify(selector)})]
      .filter((each) => each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight)
      .map((each) => each.textContent)`);
}

/** Begins to note what moves by itself; returns how to ask for it. */
export async function noteShifts(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(`
    window.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifts += entry.value;
    }).observe({ type: "layout-shift" });`);
  // A frame later, all that has happened is noted.
  return () =>
    page.evaluate<number>(
      "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.shifts))))",
    );
}

/** How wide the outline is around what has the focus. */
export async function outlineOfFocus(page: Page): Promise<string> {
  return await page.evaluate<string>(
    '(({ outlineStyle, outlineWidth }) => outlineStyle + " " + outlineWidth)(getComputedStyle(document.activeElement))',
  );
}
