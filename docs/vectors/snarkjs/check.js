// Has snarkjs verify an exported proof: it must accept it, and refuse it with any public input changed.
//
//   veilpool export --format snarkjs --out DIR && node check.js DIR
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { groth16 } from "snarkjs";

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node check.js DIR");
  process.exit(2);
}
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const [key, proof, inputs] = ["verification_key.json", "proof.json", "public.json"].map(read);

const results = [["the export", await groth16.verify(key, inputs, proof), true]];
for (let i = 0; i < inputs.length; i++) {
  const changed = inputs.map((input, j) => (i === j ? (BigInt(input) + 1n).toString() : input));
  results.push([`public input ${i} changed`, await groth16.verify(key, changed, proof), false]);
}
let failed = false;
for (const [what, accepted, expected] of results) {
  const right = accepted === expected;
  failed ||= !right;
  console.log(`${right ? "ok" : "WRONG"}: ${what}: ${accepted ? "accepted" : "refused"}`);
}
process.exit(failed ? 1 : 0);
