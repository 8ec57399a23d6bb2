import { stat } from 'node:fs/promises'
import { ScherzoError } from '../core/errors.ts'

/**
 * Makes sure that the app's file is there, before any thread is started for it.
 *
 * @throws SCZ_ERR_APP_MISSING, SCZ_ERR_APP_START
 */
export async function findApp(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new ScherzoError('SCZ_ERR_APP_MISSING', [path])
  if (!found.isFile())
    throw new ScherzoError('SCZ_ERR_APP_START', [path, 'it is not a file; name one, such as app.ts'])
}
