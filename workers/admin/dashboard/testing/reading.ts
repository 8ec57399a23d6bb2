import type { Page } from 'playwright-core'

/** Waits until the chart has a line: points of a colour that is not that of the grid or the text. */
export async function drawn(page: Page, title: string): Promise<void> {
  await page.waitForFunction((name) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`figure[data-chart="${name}"] canvas`)
    if (canvas === null || canvas.width === 0 || canvas.height === 0) return false
    // Of a copy: browsers complain when they have to read back what they draw.
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
      willReadFrequently: true
    })!
    context.drawImage(canvas, 0, 0)
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    for (let at = 0; at < data.length; at += 4) {
      const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(at, at + 4)
      if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) return true
    }
    return false
  }, title)
}

export async function anotherSecond(page: Page): Promise<void> {
  const before = await textOf(page, '[data-field="uptime"]')
  await page.waitForFunction(
    (text) => document.querySelector('[data-field="uptime"]')?.textContent !== text,
    before
  )
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? ''
}

export async function column(page: Page, place: string, index: number): Promise<(string | null)[]> {
  return page
    .locator(`[data-place="${place}"] tbody tr`)
    .evaluateAll((rows, at) => rows.map((row) => row.children[at]?.textContent ?? null), index)
}

export async function sortOf(page: Page, title: string): Promise<string | null> {
  return page.getByRole('columnheader', { name: title }).first().getAttribute('aria-sort')
}
