// Makes src/generated from the Codama description of the program. With --check it makes it elsewhere, and fails when
// what is committed differs.
//
// Beyond what the renderer does:
//   - events become one union, `PoolEvent`, since the renderer has no notion of events;
//   - instructions and derived addresses are those of the program that the caller names, not always of the local one;
//   - imports name files, as ECMAScript modules in Node want them.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import {
  definedTypeNode,
  enumStructVariantTypeNode,
  enumTypeNode,
  numberTypeNode,
  structTypeNode,
} from "@codama/nodes";
import { renderVisitor } from "@codama/renderers-js";
import { identityVisitor, visit } from "@codama/visitors-core";
import { format } from "prettier";

const here = dirname(fileURLToPath(import.meta.url));
const IDL = join(here, "../../../verifier-program/idl/veilpool.json");
const GENERATED = join(here, "../src/generated");

/** The events of a program as one enum, whose variants are in the order of their tags. */
function eventsAsType(program) {
  const variants = program.events.map((event, tag) => {
    const [first, ...fields] = event.data.fields;
    assert.equal(first.name, "tag");
    assert.equal(first.defaultValue.number, tag);
    return enumStructVariantTypeNode(event.name, structTypeNode(fields));
  });
  return definedTypeNode({
    name: "poolEvent",
    docs: [
      "What an instruction did, as it is logged: a tag byte, then its fields.",
    ],
    type: enumTypeNode(variants, { size: numberTypeNode("u8") }),
  });
}

function files(folder) {
  return readdirSync(folder)
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? files(path) : [path];
    })
    .sort();
}

/** Where an import without an ending leads. */
function withEnding(file, path) {
  const target = join(dirname(file), path);
  if (existsSync(`${target}.ts`)) return `${path}.js`;
  assert(existsSync(join(target, "index.ts")), `${file} imports ${path}`);
  return `${path}/index.js`;
}

function improve(file, text) {
  const improved = text
    .replace(
      /(from\s+['"])(\.[^'"]*)(['"])/g,
      (_, from, path, end) => from + withEnding(file, path) + end,
    )
    .replace(/(await find\w+Pda\(\{[^{}]*\})\)/g, "$1, { programAddress })")
    .replace(
      "function veilpoolProgram()",
      "function veilpoolProgram(config?: { programAddress?: Address })",
    )
    .replace(/(get\w+Instruction(?:Async)?\(\s*input)\s*\)/g, "$1, config)");
  for (const [call] of improved.matchAll(/await find\w+Pda\([^;]*;/g)) {
    assert(
      call.includes("{ programAddress }"),
      `${file} derives an address of the local program: ${call}`,
    );
  }
  return improved;
}

async function generate(packageFolder) {
  const root = JSON.parse(readFileSync(IDL, "utf8"));
  // Built again by the standard's own constructors, which put fields and names into their form.
  const again = JSON.parse(JSON.stringify(visit(root, identityVisitor())));
  assert.deepEqual(
    again,
    root,
    "the description is not as the standard writes it",
  );
  const program = { ...root.program };
  program.definedTypes = [...program.definedTypes, eventsAsType(program)];
  const log = console.warn;
  // It says which arguments it renames because an account has the same name: `epochArg` and the like.
  console.warn = () => {};
  await visit(
    { ...root, program },
    renderVisitor(packageFolder, {
      formatCode: false,
      generatedFolder: "generated",
      kitImportStrategy: "rootOnly",
      syncPackageJson: false,
    }),
  );
  console.warn = log;
  const folder = join(packageFolder, "generated");
  const made = new Map();
  for (const file of files(folder)) {
    const text = improve(file, readFileSync(file, "utf8"));
    made.set(
      relative(folder, file),
      await format(text, { parser: "typescript" }),
    );
  }
  return made;
}

const check = process.argv.includes("--check");
const folder = mkdtempSync(join(tmpdir(), "veilpool-client-"));
try {
  const made = await generate(folder);
  if (check) {
    const committed = existsSync(GENERATED)
      ? files(GENERATED).map((file) => relative(GENERATED, file))
      : [];
    const differing = [...new Set([...committed, ...made.keys()])].filter(
      (name) =>
        !committed.includes(name) ||
        made.get(name) !== readFileSync(join(GENERATED, name), "utf8"),
    );
    if (differing.length > 0) {
      console.error(
        `src/generated is not what verifier-program/idl/veilpool.json gives: ${differing.join(", ")}. ` +
          "Run npm run generate in clients/ts.",
      );
      process.exitCode = 1;
    }
  } else {
    rmSync(GENERATED, { recursive: true, force: true });
    for (const [name, text] of made) {
      mkdirSync(dirname(join(GENERATED, name)), { recursive: true });
      writeFileSync(join(GENERATED, name), text);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
