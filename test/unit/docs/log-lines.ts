import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The placeholder for a variable part of a line. */
export const ANYTHING = '…';

/**
 * The lines that programs of a tree write into the log: the second argument of every `….event(priority, message)` and `….audit(…)`. Lines for debugging
 * are left out, and those whose text comes from elsewhere: an error that was made for the administrator.
 *
 * @param root - the tree of sources
 * @returns each line once, with {@link ANYTHING} where it differs
 */
export function logLinesOf(root: string): ReadonlySet<string> {
  const lines = new Set<string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.ts')) {
      const path = join(entry.parentPath, entry.name);
      const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022);
      visit(file, lines);
    }
  }
  return lines;
}

function visit(node: ts.Node, lines: Set<string>): void {
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const [priority, message] = node.arguments;
    const isDebug = priority !== undefined && ts.isStringLiteral(priority) && priority.text === 'debug';
    if (['event', 'audit'].includes(node.expression.name.text) && message !== undefined && !isDebug) {
      textsOf(message).forEach((text) => lines.add(text));
    }
  }
  ts.forEachChild(node, (child) => visit(child, lines));
}

function textsOf(message: ts.Expression): readonly string[] {
  if (ts.isStringLiteralLike(message)) {
    return [message.text];
  }
  if (ts.isTemplateExpression(message)) {
    return [message.head.text + message.templateSpans.map(({ literal }) => ANYTHING + literal.text).join('')];
  }
  return ts.isConditionalExpression(message)
    ? [...textsOf(message.whenTrue), ...textsOf(message.whenFalse)]
    : [];
}

/**
 * The lines that the module writes into the log: the formats of `pam_syslog`.
 *
 * @param root - its sources
 * @returns each line once, with {@link ANYTHING} where it differs
 */
export function moduleLinesOf(root: string): ReadonlySet<string> {
  const sources = readdirSync(root).filter((name) => name.endsWith('.c'));
  return new Set(
    sources.flatMap((name) =>
      [...readFileSync(join(root, name), 'utf8').matchAll(/pam_syslog\([^"]*"([^"]*)"/g)].map(
        ([, format = '']) => format.replace(/%\w/g, ANYTHING),
      ),
    ),
  );
}
