// Adds up what the suites reported and prints "N passed, N failed, N skipped", the last line of a test run.
import { readdirSync, readFileSync } from 'node:fs';

const [, , directory] = process.argv;
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
  } else {
    const counts = /^(\d+) passed, (\d+) failed$/m.exec(text);
    sum.passed += Number(counts?.[1] ?? 0);
    sum.failed += Number(counts?.[2] ?? 1);
  }
}
process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exit(sum.failed === 0 && sum.passed > 0 ? 0 : 1);
