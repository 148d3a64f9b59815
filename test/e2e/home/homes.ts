import { afterAll, afterEach, beforeAll } from 'vitest';
import { Stage, type Daemon } from '../daemon/stage.ts';

/** A stage whose persons have homes, and what runs on it. */
export class Homes {
  stage!: Stage;
  daemon!: Daemon;

  /** Starts another daemon in the place of this one. */
  async restart(): Promise<void> {
    await this.daemon.stop();
    this.daemon = await this.stage.start();
  }
}

/**
 * Homes for all tests of the file that calls this.
 *
 * @returns them; filled before the first test
 */
export function useHomes(): Homes {
  const homes = new Homes();
  beforeAll(async () => {
    homes.stage = await Stage.build({ withFiles: true });
    homes.daemon = await homes.stage.start();
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') {
      console.log(`The daemon's log:\n${homes.daemon.log.lines.slice(-20).join('\n')}`);
    }
  });
  afterAll(() => homes.stage.clear());
  return homes;
}
