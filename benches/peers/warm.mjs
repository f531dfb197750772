// A prover that stays loaded: proves once for each line on stdin, and answers with what that took.
//
//   node warm.mjs KEY.zkey WITNESS.wtns
//   <- {"cpu_us": ..., "wall_us": ...}
//
// The key is read into memory once, so that only proving is counted; the CPU time is that of all threads.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { groth16 } from "snarkjs";

const [key, witness] = process.argv.slice(2).map((path) => new Uint8Array(readFileSync(path)));
for await (const _ of createInterface({ input: process.stdin })) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await groth16.prove(key, witness);
  const wall = (process.hrtime.bigint() - start) / 1000n;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ cpu_us: user + system, wall_us: Number(wall) }));
}
process.exit(0);
