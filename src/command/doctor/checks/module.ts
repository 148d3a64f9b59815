import { MODULE } from '../../pam-d/modules.ts';
import type { Check } from '../check.ts';
import { moduleDirectory } from '../module-directory.ts';
import { reinstall } from '../reinstall.ts';

/** native/pam/pam_module.c puts this text into the module. */
const VERSION = /pve-authenticator version=([0-9A-Za-z.+-]+)/;

/** Checks that the module is in PAM's directory, and has the same version as daemon and command. */
export function moduleCheck(version: string): Check {
  return {
    name: 'module',
    examine(machine) {
      const file = `${moduleDirectory(machine)}/${MODULE}`;
      const mend = reinstall(machine);
      const contents = machine.read(file);
      if (contents === undefined) {
        return Promise.resolve([
          {
            what: `There is no PAM module ${file}: a service that names it lets nobody in.`,
            mend,
          },
        ]);
      }
      const found = VERSION.exec(contents.toString('latin1'))?.[1] ?? 'without a number';
      return Promise.resolve(
        found === version
          ? []
          : [
              {
                what: `The PAM module ${file} is version ${found}, this command is ${version}.`,
                mend,
              },
            ],
      );
    },
  };
}
