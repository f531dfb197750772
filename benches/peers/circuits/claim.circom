// Veilpool's claim statement (docs/protocol.md, "Claim circuit") as one writes it with circomlib's templates:
// what our own circuit is compared with. It is the same relation of x, statement by statement, and nothing more:
//
//   - R' is computed from c and s, so that it needs no check of its own; c is what the hash says;
//   - c and s in [0, 2^251) are witnesses and nothing is keyed on them: neither s < l nor "s is short" is part of the
//     relation, they are rules for verifiers outside (a stricter circuit would only be larger);
//   - u is the same number in circomlib's form of the curve and in ours, so that all hashes are;
//   - u(K') is only hashed.
pragma circom 2.0.0;

include "babyjub.circom";
include "bitify.circom";
include "comparators.circom";
include "escalarmulany.circom";
include "escalarmulfix.circom";
include "poseidon.circom";

// u = (1 + y)/(1 - y) of a point that isn't the identity: no u makes y = 1 satisfy it.
template MontgomeryU() {
    signal input y;
    signal output u;

    u <-- (1 + y) / (1 - y);
    u * (1 - y) === 1 + y;
}

// Membership in a 4-ary tree: at each level the current node is the child that a one-hot vector selects.
template Registry(depth) {
    signal input leaf;
    signal input children[depth][4];
    signal input selected[depth][4];
    signal output root;

    component hash[depth];
    signal node[depth + 1];
    signal part[depth][4];
    node[0] <== leaf;
    for (var level = 0; level < depth; level++) {
        hash[level] = Poseidon(4);
        var sum = 0;
        var child = 0;
        for (var i = 0; i < 4; i++) {
            selected[level][i] * (selected[level][i] - 1) === 0;
            part[level][i] <== selected[level][i] * children[level][i];
            sum += selected[level][i];
            child += part[level][i];
            hash[level].inputs[i] <== children[level][i];
        }
        sum === 1;
        child === node[level];
        node[level + 1] <== hash[level].out;
    }
    root <== node[depth];
}

// P(MEASURER_SET, domain, u(K1), u(K1'), ...); at n = 7 in two levels.
template MeasurerSet(n) {
    signal input domain;
    signal input coordinates[2 * n];
    signal output out;

    if (n < 7) {
        component hash = Poseidon(2 * n + 2);
        hash.inputs[0] <== 5;
        hash.inputs[1] <== domain;
        for (var i = 0; i < 2 * n; i++) {
            hash.inputs[2 + i] <== coordinates[i];
        }
        out <== hash.out;
    } else {
        component head = Poseidon(9);
        head.inputs[0] <== 5;
        head.inputs[1] <== domain;
        for (var i = 0; i < 7; i++) {
            head.inputs[2 + i] <== coordinates[i];
        }
        component tail = Poseidon(9);
        tail.inputs[0] <== 6;
        tail.inputs[1] <== head.out;
        for (var i = 0; i < 7; i++) {
            tail.inputs[2 + i] <== coordinates[7 + i];
        }
        out <== tail.out;
    }
}

// present => the signature (c, s) of K on the message is valid: with m = 2^64 + 1 + 2c and R' = sB - mK, not the
// identity, h = P(v, u(R'), u(K) + domain, S) is less than 2^253 and its lowest 128 bits are c.
template Attestation() {
    signal input present;
    signal input v;
    signal input domain;
    signal input subject;
    signal input key[2];
    signal input keyU;
    signal input c;
    signal input s;

    // m < 2^130, whatever c < 2^128 is.
    component challenge = Num2Bits(130);
    challenge.in <== 2 ** 64 + 1 + 2 * c;
    component mK = EscalarMulAny(130);
    for (var i = 0; i < 130; i++) {
        mK.e[i] <== challenge.out[i];
    }
    mK.p[0] <== key[0];
    mK.p[1] <== key[1];

    component response = Num2Bits(251);
    response.in <== s;
    // The base of docs/protocol.md, x divided by the square root of 168700: circomlib has a = 168700.
    component sB = EscalarMulFix(251, [
        8283965601242310387280585997489078289249782183779609494194483204962653519994,
        19298250018296453272277890825869354524455968081175474282777126169995084727839
    ]);
    for (var i = 0; i < 251; i++) {
        sB.e[i] <== response.out[i];
    }

    component nonce = BabyAdd();
    nonce.x1 <== sB.out[0];
    nonce.y1 <== sB.out[1];
    nonce.x2 <== -mK.out[0];
    nonce.y2 <== mK.out[1];
    component nonceU = MontgomeryU();
    nonceU.y <== nonce.yout;

    component hash = Poseidon(4);
    hash.inputs[0] <== v;
    hash.inputs[1] <== nonceU.u;
    hash.inputs[2] <== keyU + domain;
    hash.inputs[3] <== subject;

    // An absent slot has c = 0.
    component bits = Num2Bits(253);
    bits.in <== present * hash.out;
    component low = Bits2Num(128);
    for (var i = 0; i < 128; i++) {
        low.in[i] <== bits.out[i];
    }
    low.out === c;
}

template Claim(n, depth) {
    var majority = n \ 2 + 1;

    signal input x;
    // What x folds.
    signal input registryRoot;
    signal input setHash;
    signal input epoch;
    signal input thresholds[4];
    signal input nullifier;
    signal input binding;
    // What only the prover knows.
    signal input sk;
    signal input children[depth][4];
    signal input selected[depth][4];
    signal input domain;
    signal input keys[n][2];
    signal input keysHighU[n];
    signal input present[n];
    signal input values[n][4];
    signal input c[n];
    signal input s[n];

    // Public-input integrity.
    component range[4];
    var packed = 0;
    for (var i = 0; i < 4; i++) {
        range[i] = Num2Bits(i < 3 ? 16 : 8);
        range[i].in <== thresholds[i];
        packed += thresholds[i] * 2 ** (16 * i);
    }
    component fold = Poseidon(7);
    fold.inputs[0] <== 4;
    fold.inputs[1] <== registryRoot;
    fold.inputs[2] <== setHash;
    fold.inputs[3] <== epoch;
    fold.inputs[4] <== packed;
    fold.inputs[5] <== nullifier;
    fold.inputs[6] <== binding;
    fold.out === x;

    // Membership.
    component commitment = Poseidon(2);
    commitment.inputs[0] <== 1;
    commitment.inputs[1] <== sk;
    component registry = Registry(depth);
    registry.leaf <== commitment.out;
    registry.children <== children;
    registry.selected <== selected;
    registry.root === registryRoot;

    // Nullifier integrity.
    component tag = Poseidon(3);
    tag.inputs[0] <== 3;
    tag.inputs[1] <== sk;
    tag.inputs[2] <== epoch;
    tag.out === nullifier;

    // Measurer-set integrity.
    component set = MeasurerSet(n);
    set.domain <== domain;
    component onCurve[n];
    component keyU[n];
    for (var j = 0; j < n; j++) {
        onCurve[j] = BabyCheck();
        onCurve[j].x <== keys[j][0];
        onCurve[j].y <== keys[j][1];
        keyU[j] = MontgomeryU();
        keyU[j].y <== keys[j][1];
        set.coordinates[2 * j] <== keyU[j].u;
        set.coordinates[2 * j + 1] <== keysHighU[j];
    }
    set.out === setHash;

    // Attestation validity.
    component subject = Poseidon(3);
    subject.inputs[0] <== 2;
    subject.inputs[1] <== sk;
    subject.inputs[2] <== epoch;
    component attestation[n];
    component valueRange[n][4];
    for (var j = 0; j < n; j++) {
        present[j] * (present[j] - 1) === 0;
        for (var i = 0; i < 4; i++) {
            valueRange[j][i] = Num2Bits(i < 3 ? 16 : 8);
            valueRange[j][i].in <== values[j][i];
        }
        attestation[j] = Attestation();
        attestation[j].present <== present[j];
        attestation[j].v <== 7 + epoch * 2 ** 8 + values[j][0] * 2 ** 40 + values[j][1] * 2 ** 60
            + values[j][2] * 2 ** 80 + values[j][3] * 2 ** 100;
        attestation[j].domain <== domain;
        attestation[j].subject <== subject.out;
        attestation[j].key <== keys[j];
        attestation[j].keyU <== keyU[j].u;
        attestation[j].c <== c[j];
        attestation[j].s <== s[j];
    }

    // Thresholds: bandwidth and uptime at least, latency at most, zone equal or any.
    component passes[n][3];
    component sameZone[n];
    component anyZone = IsZero();
    anyZone.in <== thresholds[3];
    signal zonePasses[n];
    signal counted[n][4];
    component enough[4];
    var sums[4] = [0, 0, 0, 0];
    for (var j = 0; j < n; j++) {
        for (var i = 0; i < 3; i++) {
            passes[j][i] = GreaterEqThan(16);
            if (i < 2) {
                passes[j][i].in[0] <== values[j][i];
                passes[j][i].in[1] <== thresholds[i];
            } else {
                passes[j][i].in[0] <== thresholds[i];
                passes[j][i].in[1] <== values[j][i];
            }
            counted[j][i] <== present[j] * passes[j][i].out;
            sums[i] += counted[j][i];
        }
        sameZone[j] = IsEqual();
        sameZone[j].in[0] <== values[j][3];
        sameZone[j].in[1] <== thresholds[3];
        zonePasses[j] <== sameZone[j].out + anyZone.out - sameZone[j].out * anyZone.out;
        counted[j][3] <== present[j] * zonePasses[j];
        sums[3] += counted[j][3];
    }
    for (var i = 0; i < 4; i++) {
        enough[i] = GreaterEqThan(3);
        enough[i].in[0] <== sums[i];
        enough[i].in[1] <== majority;
        enough[i].out === 1;
    }

    // Binding: a column of its own depends on it.
    signal bindingSquare <== binding * binding;
}
