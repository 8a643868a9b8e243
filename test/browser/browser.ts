/** Debian's Chromium, without a profile and without traffic of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const { CHROMIUM = '/usr/bin/chromium' } = process.env;

/** An open page, with all that it complained about. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Messages of its console that are errors, exceptions, and requests to other origins. */
  readonly complaints: readonly string[];
}

/** Opens a page in a browser of its own. */
export async function open(
  url: string,
  options: Pick<BrowserContextOptions, 'colorScheme' | 'viewport' | 'deviceScaleFactor' | 'locale'> = {},
): Promise<OpenPage> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
    ],
    ...options,
  });
  const complaints: string[] = [];
  const [page = await context.newPage()] = context.pages();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin)) complaints.push(`requested ${request.url()}`);
  });
  await page.goto(url);
  return {
    page,
    context,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
