// A prover that stays loaded: proves once for each line on stdin, and answers with what that took.
//
//   node warm.mjs KEY.zkey WITNESS.wtns
//   node warm.mjs KEY.zkey CIRCUIT.wasm INPUT.json
//   <- {"cpu_us": ..., "wall_us": ...}
//
// Files are read into memory once, so that only the proof, and in the second form the witness, is counted; the CPU time
// is that of all threads.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { groth16 } from "snarkjs";

const [key, witness, input] = process.argv.slice(2).map((path) => new Uint8Array(readFileSync(path)));
const claim = input && JSON.parse(new TextDecoder().decode(input));
const prove = () => (claim ? groth16.fullProve(claim, witness, key) : groth16.prove(key, witness));

for await (const _ of createInterface({ input: process.stdin })) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await prove();
  const wall = (process.hrtime.bigint() - start) / 1000n;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ cpu_us: user + system, wall_us: Number(wall) }));
}
process.exit(0);
