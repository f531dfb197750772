// Known answers for Veilpool's hashes and signatures, computed by circomlibjs and not by Veilpool.
//
//   node generate.js > vectors.json
//
// Written from docs/protocol.md. Field elements are 64 hexadecimal digits, big-endian. circomlibjs has BabyJubJub as
// 168700 x² + y² = 1 + 168696 x² y²; Veilpool (like arkworks) has it with a = 1, x scaled: x_veilpool = √168700 · x_circom.
// Veilpool names points by their Montgomery coordinate u = (1 + y)/(1 − y), which is the same in both.
import { buildBabyjub, buildPoseidonReference } from "circomlibjs";

const poseidon = await buildPoseidonReference();
const babyjub = await buildBabyjub();
const F = babyjub.F;

const TAG = { ID: 1n, SUBJECT: 2n, NULLIFIER: 3n, CLAIM: 4n, MEASURER_SET: 5n, MEASURER_SET_TAIL: 6n, SCHNORR: 7n };
const ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n; // l
const ROOT = F.sqrt(F.e(168700n));
// The base that ark-ed-on-bn254 documents, in a = 1 coordinates.
const BASE = [
  19698561148652590122159747500897617769866003486955115824547446575314762165298n,
  19298250018296453272277890825869354524455968081175474282777126169995084727839n,
];

const P = (inputs) => F.toObject(poseidon(inputs));
const hex = (n) => n.toString(16).padStart(64, "0");
const mod = (n, m) => ((n % m) + m) % m;
const toCircom = ([x, y]) => [F.div(F.e(x), ROOT), F.e(y)];
const uOf = ([, y]) => F.toObject(F.div(F.add(F.one, y), F.sub(F.one, y)));
// v = √168700 · u / x_veilpool = u / x_circom
const vOf = ([x, y]) => F.toObject(F.div(F.e(uOf([x, y])), x));
const negate = ([x, y]) => [F.neg(x), y];
const base = toCircom(BASE);
const times = (point, scalar) => babyjub.mulPointEscalar(point, mod(scalar, ORDER));

if (!babyjub.inCurve(base)) throw new Error("the base isn't on circomlib's curve after conversion");

const vectors = {};

vectors.poseidon = [];
for (let n = 1; n <= 12; n++) {
  for (const inputs of [
    Array.from({ length: n }, (_, i) => BigInt(i + 1)),
    Array.from({ length: n }, () => 0n),
    Array.from({ length: n }, (_, i) => F.toObject(F.neg(F.e(BigInt(i + 1))))),
  ]) {
    vectors.poseidon.push({ inputs: inputs.map(hex), output: hex(P(inputs)) });
  }
}

const sk = 0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcden;
const epoch = 20000n;
const subject = P([TAG.SUBJECT, sk, epoch]);
const commitment = P([TAG.ID, sk]);
const nullifier = P([TAG.NULLIFIER, sk, epoch]);
vectors.operator = {
  sk: hex(sk), epoch: Number(epoch),
  commitment: hex(commitment), subject: hex(subject), nullifier: hex(nullifier),
};

// A 4-ary tree of depth 10 with seven leaves; the operator's is number 5.
const DEPTH = 10;
const leaves = [11n, 12n, 13n, 14n, 15n, commitment, 17n];
let level = leaves, empty = 0n;
for (let i = 0; i < DEPTH; i++) {
  const next = [];
  for (let j = 0; j < level.length; j += 4) {
    next.push(P([0, 1, 2, 3].map((k) => (j + k < level.length ? level[j + k] : empty))));
  }
  empty = P([empty, empty, empty, empty]);
  level = next;
}
const root = level[0];
vectors.registry = { leaves: leaves.map(hex), index: 5, root: hex(root), empty_root: hex(empty) };

// Measurers' keys, and the hash of sets of 3, 5 and 7.
const domain = 0xfeedfacecafebeefn;
const secrets = [1n, 2n, 3n, 4n, 5n, 6n, 7n].map((i) => mod(P([i, 99n]), ORDER));
// Of K and −K the key is the one with even v.
const vIsOdd = secrets.map((x) => vOf(times(base, x)) % 2n === 1n);
vIsOdd.forEach((odd, i) => { if (odd) secrets[i] = ORDER - secrets[i]; });
const keys = secrets.map((x) => times(base, x));
const shifted = keys.map((k) => times(k, 1n << 64n));
const coordinates = keys.flatMap((k, i) => [uOf(k), uOf(shifted[i])]);
const setHash = {
  3: P([TAG.MEASURER_SET, domain, ...coordinates.slice(0, 6)]),
  5: P([TAG.MEASURER_SET, domain, ...coordinates.slice(0, 10)]),
  7: P([TAG.MEASURER_SET_TAIL, P([TAG.MEASURER_SET, domain, ...coordinates.slice(0, 7)]), ...coordinates.slice(7, 14)]),
};
vectors.measurer_set = {
  domain: hex(domain),
  keys: keys.map((k, i) => ({ u: hex(uOf(k)), shifted_u: hex(uOf(shifted[i])) })),
  set_hash: Object.fromEntries(Object.entries(setHash).map(([n, h]) => [n, hex(h)])),
};

// Attestations: sign, and check the verification equation here.
const metrics = { bandwidth: 700n, uptime: 143n, latency: 30n, zone: 3n };
const v = TAG.SCHNORR + (epoch << 8n) + (metrics.bandwidth << 40n) + (metrics.uptime << 60n)
  + (metrics.latency << 80n) + (metrics.zone << 100n);
const hashOf = (noncePoint, key) => P([v, uOf(noncePoint), F.toObject(F.add(F.e(uOf(key)), F.e(domain))), subject]);
// s is short if of 2s mod l and that minus l the odd one is below 18^60 in size.
const isShort = (s) => {
  const double = mod(2n * s, ORDER);
  const odd = double % 2n === 1n ? double : ORDER - double;
  return odd < 18n ** 60n;
};
vectors.attestations = keys.map((key, slot) => {
  for (let i = 0n; ; i++) {
    const k = mod(P([BigInt(slot), i, 1234n]), ORDER);
    const noncePoint = times(base, k);
    const h = hashOf(noncePoint, key);
    if (h >= 1n << 253n) continue;
    const c = h & ((1n << 128n) - 1n);
    const multiplier = (1n << 64n) + 1n + 2n * c;
    const s = mod(k + multiplier * secrets[slot], ORDER);
    if (!isShort(s)) continue;
    const recomputed = babyjub.addPoint(times(base, s), negate(times(key, multiplier)));
    if (hashOf(recomputed, key) !== h) throw new Error("the verification equation doesn't hold");
    return {
      packed: hex(v), nonce_u: hex(uOf(recomputed)), hash: hex(h),
      challenge: c.toString(16).padStart(32, "0"), response: hex(s), tries: Number(i) + 1,
    };
  }
});
vectors.metrics = Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]));

// The claim's fold, for each number of measurers.
const thresholds = { bandwidth: 500n, uptime: 140n, latency: 80n, zone: 3n };
const packed = thresholds.bandwidth + (thresholds.uptime << 16n) + (thresholds.latency << 32n) + (thresholds.zone << 48n);
const binding = 0x00aabbccddeeff00112233445566778899aabbccddeeff001122334455667788n;
vectors.claim = {
  thresholds: Object.fromEntries(Object.entries(thresholds).map(([name, value]) => [name, Number(value)])),
  thresholds_packed: hex(packed), binding: hex(binding),
  folded: Object.fromEntries([3, 5, 7].map((n) => [n, hex(P([TAG.CLAIM, root, setHash[n], epoch, packed, nullifier, binding]))])),
};

console.log(JSON.stringify(vectors, null, 1));
