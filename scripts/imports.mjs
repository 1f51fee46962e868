#!/usr/bin/env node
/**
 * Holds the layers: which room may import which, where Node's own modules and globals may stand, how long a file may be.
 * `node scripts/imports.mjs [root]` prints each fault as `file:line: sentence` and exits 1 if there is one.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

/** The first room whose path is a prefix of the file's decides. `rooms`: what it may import besides itself. */
const ROOMS = [
  { path: 'plan', rooms: [], packages: [], node: false },
  { path: 'formats', rooms: ['plan'], packages: [], node: false },
  // The generator is a tool of the build; nothing imports it.
  { path: 'grammar/generate.ts', rooms: ['grammar', 'plan'], packages: ['chevrotain', 'ts-morph'], node: true },
  { path: 'grammar', rooms: ['plan'], packages: ['chevrotain'], node: false },
  { path: 'compiler', rooms: ['grammar', 'formats', 'plan'], packages: [], node: false },
  { path: 'runtime/core', rooms: ['formats', 'plan'], packages: [], node: false },
  { path: 'runtime/node', rooms: ['formats', 'plan', 'runtime/core'], packages: undefined, node: true },
  { path: 'runtime', rooms: ['formats', 'plan'], packages: [], node: false },
  { path: 'cli', rooms: ['plan', 'formats', 'grammar', 'compiler', 'runtime'], packages: undefined, node: true },
  { path: 'bench', rooms: undefined, packages: undefined, node: true },
  { path: 'test', rooms: undefined, packages: undefined, node: true },
];

const NODE_GLOBALS = new Set(['process', 'Buffer', '__dirname', '__filename', 'global', 'setImmediate', 'clearImmediate']);
const LONGEST = 400;

/** The sources below `root`, in order of path. */
function sourcesOf(root) {
  return ['plan', 'formats', 'grammar', 'compiler', 'runtime', 'cli', 'bench', 'test'].flatMap((room) => filesIn(join(root, room)));
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function fileFaults(root, path) {
  const name = slashed(relative(root, path));
  const room = roomOf(name);
  const text = readFileSync(path, 'utf8');
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  const faults = [];
  const lines = text.split('\n').length - 1;
  if (lines > LONGEST && !name.startsWith('grammar/generated/')) faults.push(`${name}: ${lines} lines, more than ${LONGEST}`);
  const fault = (node, sentence) => {
    faults.push(`${name}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}: ${sentence}`);
  };
  const visit = (node) => {
    const target = importedBy(node);
    if (target) {
      const sentence = importFault(room, root, path, target.text);
      if (sentence) fault(target, sentence);
    }
    if (!room.node && isGlobal(node)) fault(node, `\`${node.text}\` is of Node, and ${room.path} runs anywhere`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

/** The module that a node names: an import, a re-export, an `import()` or an `import('...')` type. */
function importedBy(node) {
  let target;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) target = node.moduleSpecifier;
  else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) target = node.arguments[0];
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) target = node.argument.literal;
  return target && ts.isStringLiteralLike(target) ? target : undefined;
}

function importFault(room, root, path, specifier) {
  if (specifier.startsWith('node:')) return room.node ? undefined : `${room.path} may not import ${specifier}`;
  if (!specifier.startsWith('.')) {
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    return room.packages === undefined || room.packages.includes(name) ? undefined : `${room.path} may not import the package ${name}`;
  }
  if (room.rooms === undefined) return undefined;
  const target = slashed(relative(root, resolve(dirname(path), specifier)));
  const allowed = [room.path, ...room.rooms].some((folder) => isWithin(target, folder));
  return allowed ? undefined : `${room.path} may not import ${target}`;
}

/** A free use of one of Node's globals: neither a member's name nor a declaration's. */
function isGlobal(node) {
  if (!ts.isIdentifier(node) || !NODE_GLOBALS.has(node.text)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return parent.name !== node && parent.propertyName !== node;
}

function roomOf(name) {
  const room = ROOMS.find(({ path }) => isWithin(name, path));
  if (!room) throw new Error(`${name} is in no room`);
  return room;
}

function isWithin(path, folder) {
  return path === folder || path.startsWith(`${folder}/`);
}

function slashed(path) {
  return path.split(sep).join('/');
}

const root = resolve(process.argv[2] ?? '.');
const sources = sourcesOf(root);
const faults = sources.flatMap((path) => fileFaults(root, path));
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(`imports: ${sources.length} files, each imports what its room may`);
