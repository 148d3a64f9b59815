import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell } from '../harness/run.ts';
import { CHECKOUT_THERE } from './machine.ts';

/** Below the checkout, so that the machine sees it. */
const BUILD = 'build/deb-test';

/**
 * Why no package can be built here.
 *
 * @returns undefined, or what is missing
 */
export async function whyNoDeb(): Promise<string | undefined> {
  try {
    await runWell(['sh', '-c', 'command -v dh && command -v lintian && command -v fail2ban-regex']);
    return undefined;
  } catch {
    return 'debhelper, lintian or fail2ban are not here: scripts/install-packages package log-readers';
  }
}

/**
 * Builds the package with scripts/make-deb, where lintian judges it.
 *
 * @param name - of the directory it is built into
 * @param environment - NAME=VALUE for the build
 * @returns its path, below the checkout
 */
export async function buildDeb(name: string, environment: readonly string[] = []): Promise<string> {
  const directory = `${BUILD}/${name}`;
  await runWell(['env', '--chdir', CHECKOUT, ...environment, './scripts/make-deb', '--here', directory]);
  const [deb] = readdirSync(`${CHECKOUT}/${directory}`).filter((file) => file.endsWith('.deb'));
  return `${directory}/${deb!}`;
}

/**
 * The same package with a higher version: what the next build would be.
 *
 * @param deb - its path, below the checkout
 * @param version - of the new one
 * @returns its path, below the checkout
 */
export async function newerDeb(deb: string, version: string): Promise<string> {
  const work = mkdtempSync('/tmp/deb-');
  await runWell(['dpkg-deb', '--raw-extract', `${CHECKOUT}/${deb}`, work]);
  const control = `${work}/DEBIAN/control`;
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`));
  const newer = `${BUILD}/newer.deb`;
  await runWell(['dpkg-deb', '--root-owner-group', '--build', work, `${CHECKOUT}/${newer}`]);
  return newer;
}

/**
 * A package nodejs with the Node that runs the tests, for a Debian whose own is too old.
 *
 * @returns its path, below the checkout
 */
export async function nodeDeb(): Promise<string> {
  const work = mkdtempSync('/tmp/node-deb-');
  const control = [
    ...['Package: nodejs', `Version: ${process.versions.node}`, 'Architecture: all'],
    ...['Depends: libstdc++6', 'Maintainer: tests <tests@example>', 'Description: Node of the tests', ''],
  ];
  mkdirSync(`${work}/DEBIAN`);
  writeFileSync(`${work}/DEBIAN/control`, control.join('\n'));
  mkdirSync(`${work}/usr/bin`, { recursive: true });
  copyFileSync(process.execPath, `${work}/usr/bin/node`);
  chmodSync(`${work}/usr/bin/node`, 0o755);
  const deb = `${BUILD}/nodejs.deb`;
  mkdirSync(`${CHECKOUT}/${BUILD}`, { recursive: true });
  await runWell(['dpkg-deb', '--root-owner-group', '-Znone', '--build', work, `${CHECKOUT}/${deb}`]);
  rmSync(work, { recursive: true });
  return deb;
}

/** Where the machine has such a path. */
export const inMachine = (path: string): string => `${CHECKOUT_THERE}/${path}`;
