// Adds up what the suites reported and prints each failed test once more, then "N passed, N failed, N skipped", the
// last line of a test run.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [, , directory] = process.argv;
const failures = [];
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const name of readdirSync(directory)) {
  const text = readFileSync(`${directory}/${name}`, 'utf8');
  if (name.endsWith('.json')) {
    const report = JSON.parse(text);
    sum.passed += report.numPassedTests;
    sum.failed +=
      report.numFailedTests +
      report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
        .length;
    sum.skipped += report.numPendingTests + report.numTodoTests;
    for (const file of report.testResults.filter(({ status }) => status === 'failed')) {
      const names = file.assertionResults
        .filter(({ status }) => status === 'failed')
        .map((test) => test.fullName);
      for (const test of names.length > 0 ? names : ['the file itself']) {
        failures.push(`${name.slice(0, -'.json'.length)}: ${path.relative('.', file.name)}: ${test}`);
      }
    }
  } else {
    const counts = /^(\d+) passed, (\d+) failed$/m.exec(text);
    sum.passed += Number(counts?.[1] ?? 0);
    sum.failed += Number(counts?.[2] ?? 1);
    failures.push(...(text.match(/^FAILED .*$/gm) ?? []).map((line) => line.slice('FAILED '.length)));
    if (counts === null) failures.push(`${name}: it did not end`);
  }
}
process.stdout.write(failures.map((line) => `\nFAILED ${line}`).join(''));
process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exit(sum.failed === 0 && sum.passed > 0 ? 0 : 1);
