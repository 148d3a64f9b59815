#!/usr/bin/env node
/*
 * scripts/ascii.js FILE
 *
 * Writes characters outside of ASCII in a JavaScript program as \u escapes. V8 can then use the file as it is, without decoding
 * it first.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const escape = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const program = readFileSync(file, 'utf8').replace(/^#!.*\n/, '');
writeFileSync(file, program.replace(/[^\0-\x7f]/g, escape));
