// node check.mjs board.json... : checks dashboards of the first form against @grafana/schema with
// the compiler of TypeScript: each dashboard, and of each panel the options and the custom fields.
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';

const home = 'node_modules/@grafana/schema';
const exported = Object.keys(JSON.parse(fs.readFileSync(`${home}/package.json`)).exports);
const imports = new Map();
const lines = [];

function types(panel) {
  const found = exported.find((e) => e.startsWith(`./dist/esm/raw/composable/${panel.toLowerCase()}/panelcfg/`));
  if (!found) return null;
  imports.set(panel, `@grafana/schema/${found.slice(2)}`);
  return `${panel}_types`;
}

function stated(type, value, where) {
  lines.push(`const d${lines.length}: ${type} = ${JSON.stringify(value, null, 1)}; // ${where}`);
}

for (const file of process.argv.slice(2)) {
  const board = JSON.parse(fs.readFileSync(file));
  stated('L<Dashboard>', board, file);
  const panels = board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  for (const panel of panels.filter((one) => one.type !== 'row')) {
    const of = types(panel.type);
    if (!of) { stated('never', panel.type, `${file} ${panel.title}: no such panel`); continue; }
    if (panel.options) stated(`P<L<${of}.Options>>`, panel.options, `${file} ${panel.title}`);
    const custom = panel.fieldConfig?.defaults?.custom;
    if (custom) stated(`P<L<${of}.FieldConfig>>`, custom, `${file} ${panel.title} custom`);
  }
}

// L: enums as the texts that JSON has; P: every field may be left out.
const head = `import type { Dashboard } from '@grafana/schema';
${[...imports].map(([panel, from]) => `import type * as ${panel}_types from '${from}';`).join('\n')}
type L<T> = T extends string ? (string extends T ? string : \`\${T}\`) : T extends number ? number
  : T extends boolean ? boolean : T extends null ? null : T extends (infer U)[] ? L<U>[]
  : T extends object ? { [K in keyof T]: L<T[K]> } : T;
type P<T> = T extends (infer U)[] ? P<U>[] : T extends object ? { [K in keyof T]?: P<T[K]> } : T;
`;
fs.writeFileSync('checked.ts', `${head}${lines.join('\n')}\n`);
const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext'];
const tsc = ['node_modules/typescript/bin/tsc', ...flags, '--moduleResolution', 'bundler', 'checked.ts'];
const run = spawnSync('node', tsc, { encoding: 'utf8' });
process.stdout.write(run.stdout + run.stderr);
process.exit(run.status ?? 1);
